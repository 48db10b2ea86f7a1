/** The modules of the program: what they declare, whether they verify, and their disassembly. */

import { createMemo, createSignal, For, type JSX, Show } from 'solid-js';
import { bareText } from '../../lib/names';
import { describeProblem } from '../../vm/outcome';
import { type CodeLine, CodeView } from '../CodeView';
import { useApp } from '../context';

export function ModulesTab(): JSX.Element {
  const app = useApp();
  const { dbg } = app;
  const [chosen, setChosen] = createSignal(0);
  const selected = createMemo(() => dbg.modules()[Math.min(chosen(), dbg.modules().length - 1)]);
  const lines = createMemo((): readonly CodeLine[] => {
    const module = selected();
    if (module === undefined) return [];
    const names = new Map(module.remote.abi.functions.map((fn) => [fn.index, fn.name]));
    return module.remote.listing.lines.map((line) => {
      const name = line.function === undefined ? undefined : names.get(line.function);
      return {
        text: bareText(line.text, line.offset),
        number: line.offset,
        breakpoint:
          name === undefined || line.offset === undefined ? undefined : `${module.id}::${name}+${line.offset}`,
        heading: line.offset === undefined,
      };
    });
  });
  /** The line of the instruction that the verifier refuses. */
  const refused = createMemo(() => {
    const remote = selected()?.remote;
    if (remote === undefined || remote.verdict.ok) return -1;
    const { problem } = remote.verdict;
    return remote.listing.lines.findIndex(
      (l) => l.offset !== undefined && l.function === problem.function && l.offset === problem.offset,
    );
  });

  return (
    <Show when={dbg.modules().length > 0} fallback={<p class="empty">Open or drop a module, or choose an example.</p>}>
      <div class="modules">
        <section class="scroll" tabindex="0" aria-label="Modules">
          <For each={dbg.modules()}>
            {(module, i) => (
              <div class="module" classList={{ selected: module === selected() }}>
                <button type="button" class="link" onClick={() => setChosen(i())}>
                  {module.id}
                </button>
                <span class="dim">
                  v{module.remote.abi.bytecodeVersion} · {module.remote.bytes.length} bytes ·{' '}
                  {module.remote.abi.functions.length} functions · {module.remote.abi.structs.length} types
                </span>
                <Show
                  when={module.remote.verdict.ok ? undefined : module.remote.verdict.problem}
                  fallback={<span class="good">verified</span>}
                >
                  {(problem) => (
                    <span class="bad">
                      {describeProblem(problem(), (i) => module.remote.abi.functions.find((f) => f.index === i)?.name)}
                    </span>
                  )}
                </Show>
                <Show when={module.sourceProblem}>{(problem) => <span class="bad">{problem()}</span>}</Show>
                <span class="module-actions">
                  <button
                    type="button"
                    class="small"
                    onClick={() => {
                      dbg.edit({ assembly: module.remote.assembly });
                      app.setDialog('assembly');
                    }}
                  >
                    Edit
                  </button>
                  <button type="button" class="small" onClick={() => void dbg.removeModule(i())}>
                    Remove
                  </button>
                </span>
              </div>
            )}
          </For>
        </section>
        <CodeView
          language="code"
          label="Disassembly"
          lines={lines()}
          current={refused()}
          mark={(index) => (index === refused() ? [0, lines()[index]?.text.length ?? 0] : undefined)}
          identity={selected()?.id}
          breakpoints={dbg.breakpoints()}
          onBreakpoint={(key) => dbg.toggleBreakpoint(key)}
        />
      </div>
    </Show>
  );
}
