/** What opens over the screen: help, command palette, breakpoints, hex paste, the assembly editor. */

import {
  createEffect,
  createMemo,
  createSignal,
  For,
  type JSX,
  lazy,
  Match,
  onCleanup,
  onMount,
  type ParentProps,
  Show,
  Suspense,
  Switch,
} from 'solid-js';
import { fromHex } from '../lib/hex';
import { condition, describeBreakpoint } from '../vm/breakpoints';
import type { Command } from './commands';
import { useApp } from './context';

const AssemblyEditor = lazy(() => import('./AssemblyEditor'));

export function Dialogs(props: { readonly commands: readonly Command[] }): JSX.Element {
  const app = useApp();
  return (
    <Switch>
      <Match when={app.dialog() === 'help'}>
        <Modal title="Keys">
          <Help commands={props.commands} />
        </Modal>
      </Match>
      <Match when={app.dialog() === 'palette'}>
        <Modal title="Commands" class="palette">
          <Palette commands={props.commands} />
        </Modal>
      </Match>
      <Match when={app.dialog() === 'breakpoints'}>
        <Modal title="Breakpoints">
          <Breakpoints />
        </Modal>
      </Match>
      <Match when={app.dialog() === 'hex'}>
        <Modal title="Paste bytecode">
          <HexPaste />
        </Modal>
      </Match>
      <Match when={app.dialog() === 'assembly'}>
        <Modal title="Assembly" class="editor-dialog">
          <Suspense fallback={<p class="empty">Loading the editor…</p>}>
            <AssemblyEditor />
          </Suspense>
        </Modal>
      </Match>
    </Switch>
  );
}

function Modal(props: ParentProps<{ readonly title: string; readonly class?: string }>): JSX.Element {
  const app = useApp();
  let dialog!: HTMLDialogElement;
  const close = (): void => app.setDialog(undefined);
  onMount(() => dialog.showModal());
  // While it is still in the page, so that the focus goes back to where it was.
  onCleanup(() => dialog.close());
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the dialog closes with Escape; a click beside it does the same
    <dialog
      ref={dialog}
      class={`modal ${props.class ?? ''}`}
      aria-label={props.title}
      // The event `close` comes later, when the next key may already have been pressed and another dialog be open.
      onCancel={close}
      onClose={() => {
        if (dialog.isConnected) close();
      }}
      onClick={(event) => {
        if (event.target === dialog) close();
      }}
    >
      <header>
        <h2>{props.title}</h2>
        <button type="button" class="square" aria-label="Close" onClick={close}>
          ×
        </button>
      </header>
      <div class="modal-body">{props.children}</div>
    </dialog>
  );
}

function Help(props: { readonly commands: readonly Command[] }): JSX.Element {
  const groups = ['Step', 'Run', 'Find', 'Panes', 'Program'] as const;
  return (
    <>
      <div class="help">
        <For each={groups}>
          {(group) => (
            <section>
              <h3>{group}</h3>
              <dl>
                <For each={props.commands.filter((command) => command.group === group)}>
                  {(command) => (
                    <>
                      <dt>
                        <For each={command.keys}>{(key) => <kbd>{key}</kbd>}</For>
                      </dt>
                      <dd>{command.title}</dd>
                    </>
                  )}
                </For>
              </dl>
            </section>
          )}
        </For>
      </div>
      <p class="facts">
        A step is one bytecode instruction; the screen shows the state before it. Everything runs in a worker in this
        page; nothing is sent anywhere. Drop .mv, .masm, .mvsm and .move files anywhere. Click in the margin of the code
        for a breakpoint.
      </p>
    </>
  );
}

function Palette(props: { readonly commands: readonly Command[] }): JSX.Element {
  const app = useApp();
  const [query, setQuery] = createSignal('');
  const [at, setAt] = createSignal(0);
  const found = createMemo(() => {
    const words = query().toLowerCase().split(/\s+/).filter(Boolean);
    return props.commands.filter(
      (command) =>
        command.id !== 'palette' &&
        words.every((word) => `${command.group} ${command.title}`.toLowerCase().includes(word)),
    );
  });
  createEffect(() => {
    found();
    setAt(0);
  });
  const run = (command: Command | undefined): void => {
    app.setDialog(undefined);
    void command?.run();
  };
  return (
    <>
      <input
        type="search"
        aria-label="Command"
        placeholder="command"
        autofocus
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
          if (by !== 0) {
            event.preventDefault();
            setAt((at() + by + found().length) % Math.max(1, found().length));
          } else if (event.key === 'Enter') {
            event.preventDefault();
            run(found()[at()]);
          }
        }}
      />
      <ul>
        <For each={found()}>
          {(command, i) => (
            <li>
              <button type="button" classList={{ selected: i() === at() }} onClick={() => run(command)}>
                {command.title}
                <span>
                  <For each={command.keys}>{(key) => <kbd>{key}</kbd>}</For>
                </span>
              </button>
            </li>
          )}
        </For>
      </ul>
    </>
  );
}

const WATCHES = ['global', 'global!', 'event', 'collection'] as const;

function Breakpoints(): JSX.Element {
  const { dbg } = useApp();
  const [text, setText] = createSignal('');
  const key = (): string => {
    const value = text().trim();
    return /^\d+$/.test(value) ? `gas>=${value}` : value;
  };
  const wrong = (): boolean => key() !== '' && condition(key()) === undefined;
  const add = (): void => {
    if (key() === '' || wrong()) return;
    if (!dbg.breakpoints().includes(key())) dbg.toggleBreakpoint(key());
    setText('');
  };
  return (
    <div class="breakpoints">
      <ul>
        <For
          each={dbg.breakpoints()}
          fallback={<li class="dim">None. Click in the margin of the code, or press b.</li>}
        >
          {(key) => (
            <li>
              <span>{describeBreakpoint(key)}</span>
              <button type="button" class="small" onClick={() => dbg.toggleBreakpoint(key)}>
                Remove
              </button>
            </li>
          )}
        </For>
      </ul>
      <h3>Also stop when</h3>
      <For each={WATCHES}>
        {(key) => (
          <label>
            <input
              type="checkbox"
              checked={dbg.breakpoints().includes(key)}
              onChange={() => dbg.toggleBreakpoint(key)}
            />{' '}
            {describeBreakpoint(key)}
          </label>
        )}
      </For>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <input
          type="text"
          spellcheck={false}
          value={text()}
          aria-label="A function, an instruction, or an amount of gas"
          placeholder="0x1::m::f+3 if l2 == 5"
          aria-invalid={wrong()}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" disabled={wrong()}>
          Add
        </button>
        <button type="button" onClick={() => dbg.clearBreakpoints()}>
          Clear all
        </button>
      </form>
      <p class="facts" classList={{ bad: wrong() }}>
        A function (0x1::m::f), an instruction (0x1::m::f+3), either with a condition on a parameter, local or operand
        as the bytecode numbers them (if p0 &gt; 7, if l2 == 5, if s0 != 0x1), or an amount of gas used.
      </p>
    </div>
  );
}

function HexPaste(): JSX.Element {
  const app = useApp();
  const [text, setText] = createSignal('');
  const bytes = createMemo(() => fromHex(text()));
  return (
    <form
      class="hex-paste"
      onSubmit={(event) => {
        event.preventDefault();
        const read = bytes();
        if (read === undefined) return;
        app.setDialog(undefined);
        void app.dbg.addModules([{ bytes: read }]);
      }}
    >
      <textarea
        rows="10"
        spellcheck={false}
        autofocus
        aria-label="Bytecode as hexadecimal text"
        placeholder="a11ceb0b0800…"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <footer>
        <Show when={text().trim() !== ''}>
          <span classList={{ bad: bytes() === undefined }} role="status">
            {bytes() === undefined ? 'This is not pairs of hexadecimal digits.' : `${bytes()?.length} bytes`}
          </span>
        </Show>
        <button type="submit" class="primary" disabled={bytes() === undefined}>
          Open
        </button>
      </footer>
    </form>
  );
}
