/** Every step of the recording, a row each. */

import { createEffect, createMemo, createSignal, type JSX, on, Show } from 'solid-js';
import { functionName, instructionTexts } from '../../lib/names';
import { grouped } from '../../lib/values';
import type { StepRow } from '../../vm/steps';
import { useApp } from '../context';
import { VirtualList } from '../VirtualList';

const ROW = 20;

export function TraceTab(): JSX.Element {
  const { dbg } = useApp();
  const [version, setVersion] = createSignal(0);
  const texts = createMemo(() => {
    const cache = new Map<number, ReadonlyMap<number, string>>();
    return (fn: number): ReadonlyMap<number, string> | undefined => {
      const known = cache.get(fn);
      if (known !== undefined) return known;
      const lowering = dbg.lowering(fn);
      if (lowering === undefined) return undefined;
      const made = instructionTexts(lowering);
      cache.set(fn, made);
      return made;
    };
  });
  let shown: readonly [number, number] = [0, 0];
  const fetch = (first: number, count: number): void => {
    shown = [first, count];
    const steps = dbg.recording()?.steps;
    if (steps === undefined || count === 0 || steps.has(first, Math.min(count, steps.length - first))) return;
    const last = Math.min(steps.length - 1, first + count - 1);
    void Promise.all([steps.chunk(Math.min(first, last)), steps.chunk(Math.max(0, last))])
      .then(([a, b]) => {
        const known = dbg.functions().length;
        const unknown = [a, b].some((columns) => columns.function.some((fn) => fn >= known));
        return unknown ? dbg.refreshFunctions() : undefined;
      })
      .then(
        () => setVersion((v) => v + 1),
        () => undefined,
      );
  };
  createEffect(
    on(
      () => dbg.recording()?.id,
      () => fetch(...shown),
      { defer: true },
    ),
  );
  const row = (index: number): StepRow | undefined => {
    version();
    return dbg.recording()?.steps.peek(index);
  };
  const move = (event: KeyboardEvent): void => {
    const at = dbg.position()?.step ?? 0;
    const to =
      event.key === 'ArrowDown'
        ? at + 1
        : event.key === 'ArrowUp'
          ? at - 1
          : event.key === 'PageDown'
            ? at + 20
            : event.key === 'PageUp'
              ? at - 20
              : undefined;
    if (to === undefined) return;
    event.preventDefault();
    void dbg.seek(Math.max(0, to));
  };

  return (
    <Show when={dbg.recording()} fallback={<p class="empty">Nothing is recorded.</p>}>
      {(recording) => (
        <VirtualList
          class="trace"
          count={recording().length}
          rowHeight={ROW}
          label="Steps of the recording"
          current={dbg.position()?.step}
          identity={recording().id}
          onVisible={fetch}
          onKeyDown={move}
          row={(index) => {
            const of = createMemo(() => row(index()));
            const fn = () => {
              const r = of();
              return r === undefined ? undefined : dbg.functions()[r.fn];
            };
            const text = (): string => {
              const r = of();
              return r === undefined ? '…' : (texts()(r.fn)?.get(r.offset) ?? (fn()?.native === true ? 'native' : ''));
            };
            return (
              <button
                type="button"
                tabindex="-1"
                class="step"
                classList={{ current: index() === dbg.position()?.step }}
                aria-current={index() === dbg.position()?.step ? 'step' : undefined}
                onClick={() => void dbg.seek(index())}
              >
                <span class="n">{grouped(index())}</span>
                <span class="instruction" style={{ 'padding-left': `${Math.min(24, of()?.depth ?? 0) * 10}px` }}>
                  {text()}
                </span>
                <span class="in">
                  {functionName(fn())}
                  <i>+{of()?.offset ?? 0}</i>
                </span>
                <span class="gas">{grouped(of()?.gas ?? 0n)}</span>
              </button>
            );
          }}
        />
      )}
    </Show>
  );
}
