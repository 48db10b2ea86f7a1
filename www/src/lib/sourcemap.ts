/** Source maps of the Move compiler (`.mvsm`): where in the source each instruction comes from. */

import { BcsError, BcsReader } from './bcs';

/** A range of bytes in a source file. */
export interface SourceRange {
  readonly start: number;
  readonly end: number;
}

/** A function of a source map. */
export interface FunctionMap {
  readonly definition: SourceRange;
  readonly parameters: readonly string[];
  /** Names of the locals that are no parameters; the compiler's own begin with `$`. */
  readonly locals: readonly string[];
  /** Code offsets, ascending: an entry holds until the next one. */
  readonly offsets: readonly number[];
  readonly ranges: readonly SourceRange[];
}

export interface SourceMap {
  /** SHA-256 of the source file, hexadecimal. */
  readonly hash: string;
  /** `0x1::m`; `undefined` for a script. */
  readonly module: string | undefined;
  /** By definition index. */
  readonly functions: ReadonlyMap<number, FunctionMap>;
}

const RANGE_BYTES = 40;

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Reads a source map. The form (BCS):
 *
 * ```text
 * map      = definition: range, module: option (address, name),
 *            structs:   vector (u16, range, type parameters: vector named, variants: vector (vector range)),
 *            functions: vector (u16, range, type parameters, parameters, locals: vector named each,
 *                               nops: vector (string, u16), code: vector (u16, range), native: bool),
 *            constants: vector (string, u16)
 * named    = string, range          range = file hash: 32 bytes, start: u32, end: u32
 * ```
 */
export function readSourceMap(bytes: Uint8Array): SourceMap {
  const reader = new BcsReader(bytes);
  let hash = '';
  const range = (): SourceRange => {
    const file = reader.take(32);
    if (hash === '') hash = hex(file);
    const start = reader.u32();
    const end = reader.u32();
    if (end < start) throw new BcsError('a range ends before it begins');
    return { start, end };
  };
  const named = (): string => {
    const name = reader.string();
    range();
    return name;
  };
  const names = (): string[] => reader.vector(RANGE_BYTES + 1, named);

  range();
  const module = reader.option(() => {
    const address = hex(reader.take(32)).replace(/^0+(?=.)/, '');
    return `0x${address}::${reader.string()}`;
  });
  reader.vector(RANGE_BYTES + 2, () => {
    reader.u16();
    range();
    names();
    reader.vector(1, () => reader.vector(RANGE_BYTES, range));
  });
  const functions = new Map<number, FunctionMap>();
  reader.vector(RANGE_BYTES + 6, () => {
    const index = reader.u16();
    const definition = range();
    names();
    const parameters = names();
    const locals = names();
    reader.vector(3, () => {
      reader.string();
      reader.u16();
    });
    const offsets: number[] = [];
    const ranges: SourceRange[] = [];
    reader.vector(RANGE_BYTES + 2, () => {
      offsets.push(reader.u16());
      ranges.push(range());
    });
    reader.bool();
    functions.set(index, { definition, parameters, locals, offsets, ranges });
  });
  reader.vector(3, () => {
    reader.string();
    reader.u16();
  });
  reader.end();
  return { hash, module, functions };
}

/** Where the instruction at `offset` comes from. */
export function rangeOf(map: FunctionMap, offset: number): SourceRange | undefined {
  let low = 0;
  let high = map.offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((map.offsets[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return map.ranges[low - 1];
}

/** Name of a local, parameters first; `undefined` for the compiler's own. */
export function localName(map: FunctionMap, index: number): string | undefined {
  const name = map.parameters[index] ?? map.locals[index - map.parameters.length];
  return name === undefined || name.startsWith('$') || name === 'return' ? undefined : name;
}

/** A position in a text: line from 0, UTF-16 column in it. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** A source text with its lines, and the way from byte offsets (what maps hold) to lines and columns. */
export class SourceText {
  readonly text: string;
  readonly lines: readonly string[];
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.text = text;
    this.lines = text.split('\n');
    let at = 0;
    this.#starts = this.lines.map((line) => {
      const start = at;
      at += utf8Length(line) + 1;
      return start;
    });
  }

  position(byte: number): TextPosition {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= byte) low = middle + 1;
      else high = middle;
    }
    const line = Math.max(0, low - 1);
    const content = this.lines[line] ?? '';
    let left = byte - (this.#starts[line] ?? 0);
    let column = 0;
    for (const char of content) {
      left -= utf8Length(char);
      if (left < 0) break;
      column += char.length;
    }
    return { line, column };
  }
}

function utf8Length(text: string): number {
  let length = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return length;
}

/** For each line of the source the first instruction that comes from it: `[definition index, code offset]`, for breakpoints. */
export function instructionsByLine(map: SourceMap, source: SourceText): ReadonlyMap<number, readonly [number, number]> {
  const first = new Map<number, readonly [number, number]>();
  for (const [index, fn] of map.functions) {
    fn.ranges.forEach((range, i) => {
      const { line } = source.position(range.start);
      const offset = fn.offsets[i] ?? 0;
      const known = first.get(line);
      if (known === undefined || (known[0] === index && known[1] > offset)) first.set(line, [index, offset]);
    });
  }
  return first;
}
