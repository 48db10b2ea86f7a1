/** The control-flow graph of the function that the panes show, with the path that the recording took. */

import { createEffect, createMemo, createSignal, For, type JSX, on, onCleanup, Show } from 'solid-js';
import { type Arc, arcs, FlowProfile, graphOf } from '../../lib/flow';
import { functionName, instructionTexts } from '../../lib/names';
import { grouped } from '../../lib/values';
import { CHUNK } from '../../vm/steps';
import { useApp } from '../context';
import { createPlace } from '../location';

const ROW = 24;
const LANE = 11;
/** Blocks that are drawn. */
const MANY = 1000;

export function FlowTab(): JSX.Element {
  const { dbg, say } = useApp();
  const place = createPlace(dbg);
  const fn = createMemo(() => place()?.fn, undefined, { equals: (a, b) => a?.index === b?.index });
  const graph = createMemo(() => {
    const of = fn();
    const lowering = of === undefined ? undefined : dbg.lowering(of.index);
    return of === undefined || lowering === undefined
      ? undefined
      : graphOf(of.blocks.slice(0, MANY), instructionTexts(lowering));
  });
  const drawn = createMemo(() => arcs(graph()?.edges ?? []));
  const width = createMemo(() => (Math.max(0, ...drawn().map((arc) => arc.lane)) + 2) * LANE);
  const [profile, setProfile] = createSignal<FlowProfile | undefined>();
  let current = 0;
  createEffect(
    on([() => dbg.recording(), graph], ([recording, of]) => {
      current += 1;
      const mine = current;
      setProfile(undefined);
      const index = fn()?.index;
      if (recording === undefined || of === undefined || index === undefined) return;
      const count = async (): Promise<void> => {
        const made = new FlowProfile(index, of);
        for (let from = 0; from < recording.length; from += 8 * CHUNK) {
          const size = Math.min(8 * CHUNK, recording.length - from);
          const columns = await dbg.ask('counting', (session) => session.readSteps(from, size));
          if (mine !== current || columns === undefined) return;
          made.feed(columns);
        }
        setProfile(made);
      };
      void count();
    }),
  );
  onCleanup(() => {
    current += 1;
  });
  /** The block of the instruction. */
  const here = createMemo(() => {
    const offset = place()?.frame.offset;
    return offset === undefined ? -1 : (graph()?.blocks.findIndex((b) => b.start <= offset && offset <= b.end) ?? -1);
  });
  /** To the next time that the block is entered, else to the last time. */
  const go = async (start: number): Promise<void> => {
    const steps = dbg.recording()?.steps;
    const step = dbg.position()?.step;
    const index = fn()?.index;
    if (steps === undefined || step === undefined || index === undefined) return;
    const enters = (f: number, offset: number): boolean => f === index && offset === start;
    const next = await steps.find(step, 1, enters);
    const found = next < 0 ? await steps.find(step, -1, enters) : next;
    if (found < 0) say('The recording does not go there.');
    else await dbg.seek(found);
  };
  const taken = (arc: Arc): number => profile()?.edges.get(`${arc.from}:${arc.to}`) ?? 0;
  const path = (arc: Arc): string => {
    const x = width() - (arc.lane + 1) * LANE;
    const [from, to] = [arc.from * ROW + 15, arc.to * ROW + 7];
    return `M ${width() - 4} ${from} H ${x + 4} Q ${x} ${from} ${x} ${from + (to > from ? 4 : -4)} V ${to + (to > from ? -4 : 4)} Q ${x} ${to} ${x + 4} ${to} H ${width() - 5}`;
  };

  return (
    <Show when={graph()} fallback={<p class="empty">Nothing is recorded.</p>}>
      {(of) => (
        <div class="flow">
          <div class="flow-head">
            {functionName(fn())}
            <span>
              {of().blocks.length} blocks
              {of().blocks.length === MANY ? ' (the first)' : ''}; what the recording went over is drawn bright, with
              how often
            </span>
          </div>
          <section class="flow-body scroll" tabindex="0" aria-label="Control flow">
            <svg width={width()} height={of().blocks.length * ROW} aria-hidden="true">
              <defs>
                <marker
                  id="tip"
                  viewBox="0 0 6 6"
                  refX="5"
                  refY="3"
                  markerWidth="6"
                  markerHeight="6"
                  markerUnits="userSpaceOnUse"
                  orient="auto"
                >
                  <path d="M0 0 L6 3 L0 6 z" fill="context-stroke" />
                </marker>
              </defs>
              <For each={drawn()}>
                {(arc) => (
                  <path
                    d={path(arc)}
                    class="arc"
                    classList={{ taken: taken(arc) > 0, back: arc.to <= arc.from }}
                    stroke-width={taken(arc) > 0 ? 1 + Math.min(1.5, Math.log10(taken(arc)) / 3) : 1}
                    marker-end="url(#tip)"
                  />
                )}
              </For>
            </svg>
            <ol>
              <For each={of().blocks}>
                {(block, i) => {
                  const times = (): number => profile()?.blocks.get(i()) ?? 0;
                  return (
                    <li>
                      <button
                        type="button"
                        class="block"
                        classList={{ current: here() === i(), taken: times() > 0 }}
                        aria-current={here() === i() ? 'step' : undefined}
                        title="To the next step that enters this block"
                        onClick={() => void go(block.start)}
                      >
                        <span class="range">
                          {block.start}–{block.end}
                        </span>
                        <span class="exit">{block.exit}</span>
                        <span class="times">{times() === 0 ? '' : `× ${grouped(times())}`}</span>
                      </button>
                    </li>
                  );
                }}
              </For>
            </ol>
          </section>
        </div>
      )}
    </Show>
  );
}
