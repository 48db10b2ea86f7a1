/** The place in the code that the panes show: the selected frame, its function, its instruction. */

import type { FrameState, Lowering, SessionFunction } from 'monomove';
import type { Accessor } from 'solid-js';
import { createMemo, createSignal } from 'solid-js';
import { bareText, fullName } from '../lib/names';
import { rangeOf, type TextPosition } from '../lib/sourcemap';
import type { Debugger } from '../vm/debugger';
import { functionMap, type ModuleSource } from '../vm/modules';
import type { CodeLine } from './CodeView';

export interface Place {
  readonly frame: FrameState;
  readonly fn: SessionFunction;
  /** Whether it is the running function: its instruction comes next. */
  readonly running: boolean;
}

export function createPlace(dbg: Debugger): Accessor<Place | undefined> {
  return createMemo(() => {
    const state = dbg.position()?.state;
    if (state === undefined) return undefined;
    const frame = state.frames[dbg.selectedFrame()] ?? state.frames[state.frames.length - 1];
    const fn = frame === undefined ? undefined : dbg.functions()[frame.function];
    if (frame === undefined || fn === undefined) return undefined;
    return { frame, fn, running: frame === state.frames[state.frames.length - 1] };
  });
}

/** Lines of one level of lowering. */
export function levelLines(lowering: Lowering | undefined, level: string, fn: SessionFunction): readonly CodeLine[] {
  const found = lowering?.levels.find((l) => l.name === level);
  if (found === undefined) return [];
  return found.lines.map((line) => ({
    text: bareText(line.text, line.offset),
    number: line.offset,
    offset: line.offset,
    breakpoint: line.offset === undefined || level !== 'bytecode' ? undefined : `${fullName(fn)}+${line.offset}`,
    heading: line.offset === undefined,
  }));
}

/**
 * The code offset whose lines stand for the instruction at `offset`: its own, or that of the op into which lowering folded it, which comes
 * later.
 */
export function coveringOffset(lines: readonly CodeLine[], offset: number | undefined): number | undefined {
  if (offset === undefined) return undefined;
  let best: number | undefined;
  for (const line of lines) {
    if (line.offset !== undefined && line.offset >= offset && (best === undefined || line.offset < best))
      best = line.offset;
  }
  return best;
}

/** Lines of a Move source. */
export function sourceLines(
  source: ModuleSource,
  moduleId: string,
  functionNameOf: (definition: number) => string | undefined,
): readonly CodeLine[] {
  return source.text.lines.map((text, i): CodeLine => {
    const target = source.instructions.get(i);
    const name = target === undefined ? undefined : functionNameOf(target[0]);
    return {
      text,
      number: i + 1,
      breakpoint: target === undefined || name === undefined ? undefined : `${moduleId}::${name}+${target[1]}`,
    };
  });
}

/** A stretch of a text: lines from 0, columns. */
export interface Stretch {
  readonly from: TextPosition;
  readonly to: TextPosition;
}

/** The stretch of the source that an instruction comes from. */
export function sourceStretch(source: ModuleSource, definition: number, offset: number): Stretch | undefined {
  const map = functionMap(source, definition);
  const range = map === undefined ? undefined : rangeOf(map, offset);
  if (range === undefined) return undefined;
  return { from: source.text.position(range.start), to: source.text.position(range.end) };
}

/** Lines of a stretch that is not marked as a whole. */
const LONG = 3;

/** Columns of a line that lie in a stretch. */
export function columnsIn(
  stretch: Stretch | undefined,
  line: number,
  length: number,
): readonly [number, number] | undefined {
  if (stretch === undefined || line < stretch.from.line || line > stretch.to.line) return undefined;
  // Of something that is as long as a function its first line says enough.
  if (stretch.to.line - stretch.from.line > LONG && line > stretch.from.line) return undefined;
  return [line === stretch.from.line ? stretch.from.column : 0, line === stretch.to.line ? stretch.to.column : length];
}

/** Steps that count as soon. */
const SOON = 5;

/** Code offsets that the running function executes in the next steps, calls passed over. */
export function createSoon(dbg: Debugger, place: Accessor<Place | undefined>): Accessor<ReadonlySet<number>> {
  const [version, setVersion] = createSignal(0);
  return createMemo(() => {
    version();
    const offsets = new Set<number>();
    const steps = dbg.recording()?.steps;
    const position = dbg.position();
    const at = place();
    if (steps === undefined || position === undefined || at === undefined || !at.running) return offsets;
    const depth = position.state.frames.length - 1;
    for (let step = position.step + 1; step <= position.step + SOON && step < steps.length; step += 1) {
      const row = steps.peek(step);
      if (row === undefined) {
        steps.chunk(step).then(
          () => setVersion((v) => v + 1),
          () => undefined,
        );
        break;
      }
      if (row.depth < depth) break;
      if (row.depth === depth && row.fn === at.frame.function) offsets.add(row.offset);
    }
    return offsets;
  });
}
