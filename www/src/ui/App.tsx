/** The screen. */

import { createEffect, createSignal, type JSX, onCleanup, onMount, Show } from 'solid-js';
import { frameworkSource, loadAsset } from '../examples/assets';
import { EXAMPLES, FIRST } from '../examples/examples';
import { decodeShare, encodeShare, ShareError } from '../lib/share';
import { keepOffline } from '../offline';
import { Debugger } from '../vm/debugger';
import { findStep } from '../vm/find';
import { describeError } from '../vm/outcome';
import { spawnEngine } from '../vm/spawn';
import { DEFAULT_VIEW, type View } from '../vm/view';
import { CallForm } from './CallForm';
import { CodePanes } from './CodePanes';
import { type Command, commandFor, createCommands } from './commands';
import { type App as AppApi, AppContext, type Dialog, useApp } from './context';
import { Dialogs } from './Dialogs';
import { Dock } from './Dock';
import { sortFiles } from './files';
import { Grip, layoutStyle } from './Grip';
import { Header } from './Header';
import { StatePane } from './StatePane';
import { Transport } from './Transport';
import { toggleTheme } from './theme';

/** How long a notice stays. */
const NOTICE_MS = 5000;
const MOBILE_TABS = ['step', 'code', 'state', 'more'] as const;

export interface AppProps {
  /** Version of the package `monomove`. */
  readonly engine: string;
}

export function App(props: AppProps): JSX.Element {
  const dbg = new Debugger(spawnEngine, frameworkSource);
  const [view, setViewSignal] = createSignal<View>(DEFAULT_VIEW);
  const [dialog, setDialog] = createSignal<Dialog>();
  const [notice, setNotice] = createSignal('');
  const [example, setExample] = createSignal('');
  const [mobile, setMobile] = createSignal<(typeof MOBILE_TABS)[number]>('step');
  const [dropping, setDropping] = createSignal(false);
  let findField: HTMLInputElement | undefined;
  let lastQuery = '';
  let timer: ReturnType<typeof setTimeout> | undefined;

  const say = (text: string): void => {
    clearTimeout(timer);
    setNotice(text);
    timer = setTimeout(() => setNotice(''), NOTICE_MS);
  };

  const openExample = async (id: string): Promise<void> => {
    const chosen = EXAMPLES.find((e) => e.id === id);
    if (chosen === undefined) return;
    setExample(id);
    setViewSignal(chosen.view);
    try {
      const program = await chosen.load();
      if (example() !== id) return;
      if (program.assembly !== undefined && program.modules.length === 0) {
        const result = await dbg.assemble(program.assembly);
        const modules = result.ok ? [{ bytes: result.bytes, assembled: true }] : [];
        await dbg.open({ ...program, modules });
      } else {
        await dbg.open(program, { step: chosen.step });
      }
    } catch (error) {
      say(`The example cannot be loaded: ${describeError(error)}`);
    }
  };

  const openFiles = async (files: readonly File[]): Promise<void> => {
    if (files.length === 0) return;
    const opened = await Promise.all(
      files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
    );
    const sorted = sortFiles(opened);
    if (sorted.unknown.length > 0) say(`Not a module, map, source or assembly: ${sorted.unknown.join(', ')}`);
    if (sorted.modules.length > 0) {
      setExample('');
      dbg.edit({ title: opened[0]?.name ?? '', note: '', setup: [], fund: [] });
      await dbg.addModules(sorted.modules);
    } else if (sorted.loose.length > 0) {
      await dbg.attachSources(sorted.loose);
    }
    if (sorted.assembly !== undefined) {
      dbg.edit({ assembly: sorted.assembly });
      setDialog('assembly');
    }
  };

  /** Whether the page is a part of another one: without ways to change the program. */
  const embedded = new URLSearchParams(location.search).has('embed');

  const link = async (search = ''): Promise<string> => {
    const fragment = await encodeShare({
      program: dbg.program(),
      step: dbg.position()?.step ?? 0,
      breakpoints: dbg.breakpoints(),
      view: view(),
      engine: props.engine,
    });
    return `${location.origin}${location.pathname}${search}${fragment}`;
  };

  const copy = async (text: string, done: string, otherwise: string): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      say(done);
    } catch {
      say(otherwise);
    }
  };

  const app: AppApi = {
    dbg,
    view,
    setView: (change) => {
      setViewSignal({ ...view(), ...change });
      if (change.dock !== undefined) setMobile('more');
    },
    dialog,
    setDialog,
    say,
    openFiles,
    copyLink: async () => {
      const url = await link();
      history.replaceState(null, '', url);
      const size = Math.ceil(url.length / 1024);
      await copy(url, `Link copied: ${size} KB, everything is in it.`, 'The link is in the address bar.');
    },
    copyFrame: async () => {
      const frame = `<iframe src="${await link('?embed')}" width="100%" height="640" title="MonoMove"></iframe>`;
      await copy(frame, 'HTML copied: a frame with this program at this step.', 'The clipboard cannot be used here.');
    },
    toggleTheme,
    find: async (query, direction) => {
      const text = query === '' ? lastQuery : query;
      lastQuery = text;
      const found = await findStep(dbg, text, direction);
      if ('step' in found) await dbg.seek(found.step);
      else say(found.message);
    },
    askFind: () => {
      findField?.focus();
      findField?.select();
    },
  };

  const openLink = async (): Promise<boolean> => {
    try {
      const shared = await decodeShare(location.hash, loadAsset);
      if (shared === undefined) return false;
      setExample('');
      setViewSignal(shared.view);
      if (shared.engine !== props.engine) {
        say(`The link was made with monomove ${shared.engine}; this is ${props.engine}. Steps and gas may differ.`);
      }
      await dbg.open(shared.program, { step: shared.step, breakpoints: shared.breakpoints });
      return true;
    } catch (error) {
      say(error instanceof ShareError ? error.message : describeError(error));
      return false;
    }
  };

  const start = async (): Promise<void> => {
    if (await openLink()) return;
    const named = /^#example=(\w+)$/.exec(location.hash)?.[1];
    await openExample(EXAMPLES.some((e) => e.id === named) ? (named ?? FIRST) : FIRST);
  };

  onMount(() => {
    void dbg.warmUp();
    void start();
    const listening = new AbortController();
    const { signal } = listening;
    onCleanup(() => listening.abort());
    addEventListener('hashchange', () => void start(), { signal });
    addEventListener(
      'dragover',
      (event) => {
        event.preventDefault();
        setDropping(true);
      },
      { signal },
    );
    addEventListener(
      'dragleave',
      (event) => {
        if (event.relatedTarget === null) setDropping(false);
      },
      { signal },
    );
    addEventListener(
      'drop',
      (event) => {
        event.preventDefault();
        setDropping(false);
        void openFiles([...(event.dataTransfer?.files ?? [])]);
      },
      { signal },
    );
  });

  const status = dbg.status;
  const problem = (): string | undefined => {
    const of = status();
    return of.kind === 'refused' || of.kind === 'stopped' ? of.message : undefined;
  };
  createEffect(() => {
    if (status().kind !== 'working' && status().kind !== 'empty') keepOffline();
  });
  createEffect(() => {
    document.title = `${dbg.program().title} · MonoMove`;
  });

  return (
    <AppContext.Provider value={app}>
      <Keys onCommands={(event, commands) => handleKey(event, commands, dialog())}>
        {(commands) => (
          <div
            class="app"
            data-tab={mobile()}
            data-status={status().kind}
            classList={{ dropping: dropping(), embedded }}
          >
            <Show when={!embedded} fallback={<Embedded whole={() => link()} />}>
              <Header example={example()} onExample={(id) => void openExample(id)} />
              <CallForm />
            </Show>
            <Transport
              commands={commands}
              findField={(field) => {
                findField = field;
              }}
            />
            <Show when={problem()}>
              {(message) => (
                <div class="problem" role="alert">
                  <span>{message()}</span>
                  <Show when={dbg.program().assembly !== undefined && status().kind === 'refused'}>
                    <button type="button" class="small" onClick={() => setDialog('assembly')}>
                      Show in assembly
                    </button>
                  </Show>
                </div>
              )}
            </Show>
            <main style={layoutStyle()}>
              <div class="code-area">
                <CodePanes />
                <Grip kind="dock" />
                <Dock />
              </div>
              <Grip kind="side" />
              <StatePane />
            </main>
            <nav class="mobile-tabs" aria-label="Parts of the screen">
              {MOBILE_TABS.map((tab) => (
                <button type="button" aria-pressed={mobile() === tab} onClick={() => setMobile(tab)}>
                  {{ step: 'Step', code: 'Code', state: 'State', more: 'More' }[tab]}
                </button>
              ))}
            </nav>
            <Show when={dbg.busy()}>
              {(what) => (
                <div class="busy" role="status">
                  <span>{what()}…</span>
                  <button type="button" class="small" onClick={() => dbg.stopMachine()}>
                    Stop
                  </button>
                </div>
              )}
            </Show>
            <div class="notice" role="status" aria-live="polite">
              {notice()}
            </div>
            <Dialogs commands={commands} />
          </div>
        )}
      </Keys>
    </AppContext.Provider>
  );
}

/** In place of the top lines, where the page is a part of another one. */
function Embedded(props: { readonly whole: () => Promise<string> }): JSX.Element {
  const { dbg } = useApp();
  const open = async (): Promise<void> => {
    window.open(await props.whole(), '_blank', 'noopener');
  };
  return (
    <header class="top">
      <h1>MonoMove</h1>
      <span class="spring">{dbg.program().title}</span>
      <button type="button" onClick={() => void open()}>
        Open
      </button>
    </header>
  );
}

/** Makes the commands inside of the context, and listens to the keyboard. */
function Keys(props: {
  readonly onCommands: (event: KeyboardEvent, commands: readonly Command[]) => void;
  readonly children: (commands: readonly Command[]) => JSX.Element;
}): JSX.Element {
  const commands = createCommands();
  onMount(() => {
    const listener = (event: KeyboardEvent): void => props.onCommands(event, commands);
    addEventListener('keydown', listener);
    onCleanup(() => removeEventListener('keydown', listener));
  });
  return props.children(commands);
}

function handleKey(event: KeyboardEvent, commands: readonly Command[], dialog: Dialog): void {
  if (event.defaultPrevented) return;
  const command = commandFor(commands, event);
  if (command === undefined) return;
  if (dialog !== undefined && !['stop', 'palette'].includes(command.id)) return;
  event.preventDefault();
  void command.run();
}
