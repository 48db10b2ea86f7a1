/** Operand stack, locals and call stack of the position, in one column. */

import type { FrameState, PlaceState } from 'monomove';
import { createMemo, Index, type JSX, Show } from 'solid-js';
import { functionName } from '../lib/names';
import { localName } from '../lib/sourcemap';
import { whereIs } from '../lib/values';
import { functionMap } from '../vm/modules';
import { useApp } from './context';
import { createPlace } from './location';
import { Pane } from './Pane';
import { ValueRow } from './ValueRow';

export function StatePane(): JSX.Element {
  const { dbg } = useApp();
  const place = createPlace(dbg);
  const frames = (): readonly FrameState[] => dbg.position()?.state.frames ?? [];

  /** Name of a local as the source has it. */
  const localNameOf = (frameIndex: number, local: PlaceState): string => {
    const frame = frames()[frameIndex];
    const fn = frame === undefined ? undefined : dbg.functions()[frame.function];
    if (frame === undefined || fn === undefined) return local.name;
    const index = frame.locals.indexOf(local);
    if (index < 0) return local.name;
    const map = functionMap(dbg.source(fn.module), fn.definition);
    return (map === undefined ? undefined : localName(map, index)) ?? local.name;
  };
  const where = (address: number): string => whereIs(address, frames(), localNameOf);
  const operands = createMemo(() => [...(place()?.frame.operands ?? [])].reverse());
  const prefix = (): string => `${place()?.frame.function ?? 0}`;

  const watch = (local: PlaceState): JSX.Element => (
    <span class="cell-actions">
      <button
        type="button"
        tabindex="-1"
        aria-label={`Back to the step that wrote ${local.name}`}
        title="Back to the step that wrote this"
        onClick={() => void dbg.toWrite((place()?.frame.address ?? 0) + local.slot, Math.max(1, local.size), 'back')}
      >
        ◂w
      </button>
      <button
        type="button"
        tabindex="-1"
        aria-label={`On to the next write of ${local.name}`}
        title="On to the next write of this"
        onClick={() => void dbg.toWrite((place()?.frame.address ?? 0) + local.slot, Math.max(1, local.size), 'forward')}
      >
        w▸
      </button>
    </span>
  );

  return (
    <div class="state">
      <Pane title="Operand stack" detail={operands().length === 0 ? 'empty' : `${operands().length}`} class="operands">
        <section class="cells grow-up" tabindex="0" aria-label="Operands, top first">
          <div class="stacked">
            <Index each={operands()}>
              {(operand, i) => (
                <ValueRow
                  name={`${operands().length - 1 - i}`}
                  type={operand().type}
                  value={operand().value}
                  changed={operand().changed}
                  path={`${prefix()}/o${operands().length - 1 - i}`}
                  where={where}
                  title={`slot ${operand().slot}, ${operand().size} bytes`}
                  actions={watch(operand())}
                />
              )}
            </Index>
          </div>
        </section>
      </Pane>
      <Pane title="Locals" detail={functionName(place()?.fn)} class="locals">
        <section class="cells" tabindex="0" aria-label="Locals">
          <Index each={place()?.frame.locals ?? []}>
            {(local, i) => (
              <ValueRow
                name={localNameOf(frames().indexOf(place()?.frame as FrameState), local())}
                type={local().type}
                value={local().value}
                changed={local().changed}
                path={`${prefix()}/l${i}`}
                where={where}
                title={`${i < (place()?.frame.parameters ?? 0) ? 'parameter' : 'local'} ${i}, slot ${local().slot}, ${local().size} bytes`}
                actions={watch(local())}
              />
            )}
          </Index>
          <Show when={place() !== undefined && place()?.frame.locals.length === 0}>
            <p class="empty">No locals.</p>
          </Show>
        </section>
      </Pane>
      <Pane title="Call stack" detail={frames().length === 0 ? '' : `depth ${frames().length}`} class="calls">
        <section class="cells grow-up" tabindex="0" aria-label="Call stack, running function first">
          <div class="stacked">
            <Index each={[...frames()].reverse()}>
              {(frame, i) => {
                const index = (): number => frames().length - 1 - i;
                return (
                  <button
                    type="button"
                    class="cell frame"
                    aria-pressed={dbg.selectedFrame() === index()}
                    classList={{ selected: dbg.selectedFrame() === index() }}
                    onClick={() => dbg.selectFrame(index())}
                  >
                    <span class="name">{index()}</span>
                    <span class="value">{functionName(dbg.functions()[frame().function])}</span>
                    <span class="type">+{frame().offset}</span>
                  </button>
                );
              }}
            </Index>
          </div>
        </section>
      </Pane>
    </div>
  );
}
