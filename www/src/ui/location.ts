/** The place in the code that the panes show: the selected frame, its function, its instruction. */

import type { FrameState, Lowering, SessionFunction } from 'monomove';
import type { Accessor } from 'solid-js';
import { createMemo } from 'solid-js';
import { bareText, fullName } from '../lib/names';
import { rangeOf } from '../lib/sourcemap';
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

/** Lines of one level of lowering, linked to the instruction at `offset`. */
export function levelLines(
  lowering: Lowering | undefined,
  level: string,
  fn: SessionFunction,
  offset: number | undefined,
): readonly CodeLine[] {
  const found = lowering?.levels.find((l) => l.name === level);
  if (found === undefined) return [];
  return found.lines.map((line) => ({
    text: bareText(line.text, line.offset),
    number: line.offset,
    breakpoint: line.offset === undefined || level !== 'bytecode' ? undefined : `${fullName(fn)}+${line.offset}`,
    current: line.offset !== undefined && line.offset === offset,
    heading: line.offset === undefined,
  }));
}

/** Lines of a Move source, linked to an instruction of a function. */
export function sourceLines(
  source: ModuleSource,
  moduleId: string,
  functionNameOf: (definition: number) => string | undefined,
  definition: number,
  offset: number | undefined,
): { readonly lines: readonly CodeLine[]; readonly current: number | undefined } {
  const map = functionMap(source, definition);
  const range = map === undefined || offset === undefined ? undefined : rangeOf(map, offset);
  const from = range === undefined ? undefined : source.text.position(range.start);
  const to = range === undefined ? undefined : source.text.position(range.end);
  const lines = source.text.lines.map((text, i): CodeLine => {
    const target = source.instructions.get(i);
    const name = target === undefined ? undefined : functionNameOf(target[0]);
    const within = from !== undefined && to !== undefined && i >= from.line && i <= to.line;
    return {
      text,
      number: i + 1,
      breakpoint: target === undefined || name === undefined ? undefined : `${moduleId}::${name}+${target[1]}`,
      current: i === from?.line,
      mark: within ? [i === from.line ? from.column : 0, i === to.line ? to.column : text.length] : undefined,
    };
  });
  return { lines, current: from?.line };
}
