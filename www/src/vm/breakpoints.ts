/** Breakpoints and other places to stop at. */

import type { Condition, When } from 'monomove';

/** `0x1::m::f` or `0x1::m::f+12`, both also with ` if l3 == 5`; or one of the watches `gas>=N`, `global`, `global!`, `event`, `collection`. */
export type BreakpointKey = string;

/** The text form of a breakpoint on a function or an instruction. */
export function breakpointKey(fn: string, offset?: number): BreakpointKey {
  return offset === undefined ? fn : `${fn}+${offset}`;
}

/** The condition that a breakpoint stands for; `undefined` if it is none. */
export function condition(key: BreakpointKey): Condition | undefined {
  if (key === 'global') return { at: 'global' };
  if (key === 'global!') return { at: 'global', write: true };
  if (key === 'event') return { at: 'event' };
  if (key === 'collection') return { at: 'collection' };
  const gas = /^gas>=(\d+)$/.exec(key);
  if (gas !== null) return { at: 'gas', used: BigInt(gas[1] ?? '0') };
  const place = /^(0x[0-9a-f]+::\w+::[\w$]+)(?:\+(\d+))?(?: if ([pls]\d+) *([=!]=|[<>]=?) *(\w+))?$/i.exec(key);
  if (place === null) return undefined;
  const [, fn = '', offset, name, is, value] = place;
  return {
    at: 'instruction',
    function: fn,
    ...(offset === undefined ? {} : { offset: Number(offset) }),
    ...(name === undefined || value === undefined ? {} : { when: { place: name, is: is as When['is'], value } }),
  };
}

/** How a breakpoint is shown. */
export function describeBreakpoint(key: BreakpointKey): string {
  switch (key) {
    case 'global':
      return 'any global value is touched';
    case 'global!':
      return 'any global value changes';
    case 'event':
      return 'an event is emitted';
    case 'collection':
      return 'the heap is collected';
    default:
      return key.startsWith('gas>=') ? `gas used reaches ${key.slice(5)}` : key.replace(/^0x[0-9a-f]+::/i, '');
  }
}
