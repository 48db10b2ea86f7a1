/** Names of functions, and texts of instructions, as the screen has them. */

import type { Lowering, SessionFunction } from 'monomove';

/** `m::f<u64>`, without the address. */
export function functionName(fn: SessionFunction | undefined, typeArguments = true): string {
  if (fn === undefined) return '?';
  const module = fn.module.replace(/^0x[0-9a-f]+::/i, '');
  const args = fn.typeArguments.map((type) => type.replace(/0x[0-9a-f]+::\w+::/gi, ''));
  return `${module}::${fn.name}${typeArguments && args.length > 0 ? `<${args.join(', ')}>` : ''}`;
}

/** Full name as breakpoints have it. */
export function fullName(fn: SessionFunction): string {
  return `${fn.module}::${fn.name}`;
}

/** Instruction texts by code offset. */
export function instructionTexts(lowering: Lowering | undefined): ReadonlyMap<number, string> {
  const level = lowering?.levels.find((l) => l.name === 'bytecode');
  const texts = new Map<number, string>();
  for (const line of level?.lines ?? []) {
    if (line.offset !== undefined && !texts.has(line.offset)) {
      texts.set(line.offset, bareText(line.text, line.offset).trim());
    }
  }
  return texts;
}

/** A line of a listing without the code offset at its beginning: that stands in the margin. */
export function bareText(text: string, offset: number | undefined): string {
  return offset === undefined ? text : text.replace(new RegExp(`^\\s*0*${offset}:?(?=\\s)`), '   ');
}
