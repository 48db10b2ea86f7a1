/** Finding a step: by number, or by the text of an instruction or the name of a function. */

import { functionName, instructionTexts } from '../lib/names';
import type { Debugger } from './debugger';

export type Found = { readonly step: number } | { readonly message: string };

/** Functions that are lowered for a search. */
const MANY = 400;

/** The nearest step from where the debugger is, in a direction. */
export async function findStep(dbg: Debugger, query: string, direction: 1 | -1): Promise<Found> {
  const recording = dbg.recording();
  const from = dbg.position()?.step;
  if (recording === undefined || from === undefined) return { message: 'Nothing is recorded.' };
  const text = query.trim().toLowerCase();
  if (/^\d[\d_]*$/.test(text)) return { step: Math.min(recording.length, Number(text.replace(/_/g, ''))) };
  if (text === '') return { message: 'Nothing to find.' };

  let unknown = false;
  const matchers = new Map<number, true | ReadonlySet<number>>();
  const learn = async (): Promise<void> => {
    const functions = dbg.functions();
    for (const fn of functions.slice(0, MANY)) {
      if (matchers.has(fn.index)) continue;
      const name = functionName(fn).toLowerCase();
      const lowering = await dbg.loweringOf(fn.index);
      const hits = new Set<number>();
      for (const [offset, instruction] of instructionTexts(lowering)) {
        if (instruction.toLowerCase().includes(text)) hits.add(offset);
      }
      // A name means its calls: the step at its first instruction.
      if (name.includes(text)) hits.add(0);
      matchers.set(fn.index, hits);
    }
  };
  await learn();
  const matches = (fn: number, offset: number): boolean => {
    const matcher = matchers.get(fn);
    if (matcher === undefined) {
      unknown = true;
      return false;
    }
    return matcher === true || matcher.has(offset);
  };
  const stop = (): boolean => dbg.recording()?.id !== recording.id;
  let step = await recording.steps.find(from, direction, matches, stop);
  if (unknown) {
    // The recording has more functions than were known: now they are.
    await dbg.refreshFunctions();
    await learn();
    step = await recording.steps.find(from, direction, matches, stop);
  }
  return step < 0 ? { message: `No ${direction > 0 ? 'later' : 'earlier'} step with “${query}”.` } : { step };
}
