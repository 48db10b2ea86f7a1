/** Move source and bytecode, side by side. */

import { createMemo, type JSX, Show } from 'solid-js';
import { fullName, functionName } from '../lib/names';
import { CodeView } from './CodeView';
import { useApp } from './context';
import { columnsIn, createPlace, createSoon, levelLines, sourceLines, sourceStretch } from './location';
import { Pane } from './Pane';

export function CodePanes(): JSX.Element {
  const app = useApp();
  const { dbg } = app;
  const place = createPlace(dbg);
  const source = createMemo(() => {
    const at = place();
    return at === undefined ? undefined : dbg.source(at.fn.module);
  });
  const nameOf = (definition: number): string | undefined => {
    const id = moduleId();
    const module = dbg.modules().find((m) => m.id === id);
    return (
      module?.remote.abi.functions.find((f) => f.index === definition)?.name ??
      dbg.functions().find((f) => f.module === id && f.definition === definition)?.name
    );
  };
  const moduleId = createMemo(() => place()?.fn.module);
  const text = createMemo(() => {
    const of = source();
    const id = moduleId();
    return of === undefined || id === undefined ? undefined : sourceLines(of, id, nameOf);
  });
  const stretch = createMemo(() => {
    const at = place();
    const of = source();
    return at === undefined || of === undefined ? undefined : sourceStretch(of, at.fn.definition, at.frame.offset);
  });
  const lowering = createMemo(() => {
    const at = place();
    return at === undefined ? undefined : dbg.lowering(at.frame.function);
  });
  const fn = createMemo(() => place()?.fn);
  const bytecode = createMemo(() => {
    const of = fn();
    return of === undefined ? [] : levelLines(lowering(), 'bytecode', of);
  });
  const offset = createMemo(() => place()?.frame.offset);
  const soon = createSoon(dbg, place);
  const toggle = (key: string): void => dbg.toggleBreakpoint(key);

  return (
    <div class="code-panes" classList={{ both: app.view().source && app.view().bytecode }}>
      <Show when={app.view().source}>
        <Pane title="Move source" detail={place()?.fn.module ?? ''} class="source-pane">
          <Show
            when={text()}
            fallback={
              <p class="empty">
                {dbg.recording() === undefined
                  ? 'Nothing is recorded.'
                  : 'No source for this module. Drop its .move file and its .mvsm source map.'}
              </p>
            }
          >
            {(of) => (
              <CodeView
                language="move"
                label="Move source"
                lines={of()}
                current={stretch()?.from.line}
                isCurrent={(index) => index === stretch()?.from.line}
                mark={(index) => columnsIn(stretch(), index, of()[index]?.text.length ?? 0)}
                identity={moduleId()}
                breakpoints={dbg.breakpoints()}
                onBreakpoint={toggle}
              />
            )}
          </Show>
        </Pane>
      </Show>
      <Show when={app.view().bytecode}>
        <Pane
          title="Bytecode"
          detail={functionName(place()?.fn)}
          class="bytecode-pane"
          actions={
            <Show when={place()}>
              {(at) => (
                <button
                  type="button"
                  class="small"
                  aria-pressed={dbg.breakpoints().includes(fullName(at().fn))}
                  onClick={() => toggle(fullName(at().fn))}
                  title="Stop whenever this function is called (B)"
                >
                  ● on call
                </button>
              )}
            </Show>
          }
        >
          <Show when={bytecode().length > 0} fallback={<p class="empty">No code here.</p>}>
            <CodeView
              language="code"
              label="Bytecode"
              lines={bytecode()}
              current={bytecode().findIndex((line) => line.offset === offset())}
              isSoon={(index) => soon().has(bytecode()[index]?.offset ?? -1)}
              isCurrent={(index) => offset() !== undefined && bytecode()[index]?.offset === offset()}
              identity={place()?.frame.function}
              breakpoints={dbg.breakpoints()}
              onBreakpoint={toggle}
            />
          </Show>
        </Pane>
      </Show>
    </div>
  );
}
