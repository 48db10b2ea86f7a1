import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { linkSource } from '../vm/modules';
import { BcsError } from './bcs';
import { instructionsByLine, localName, rangeOf, readSourceMap, SourceText } from './sourcemap';

const ROOT = new URL('../../../tests/', import.meta.url);
const file = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, ROOT)));
const text = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

const DIRECTORIES = [
  'stdlib/bytecode/v8/std/',
  'stdlib/bytecode/v8/framework/',
  'stdlib/bytecode/v8/examples/',
  'golden/bytecode/v8/',
];
const MAPS = DIRECTORIES.flatMap((directory) =>
  readdirSync(new URL(directory, ROOT))
    .filter((name) => name.endsWith('.mvsm'))
    .map((name) => directory + name),
);

test.each(MAPS)('%s is read to its last byte', (path) => {
  const map = readSourceMap(file(path));
  expect(map.module).toMatch(new RegExp(`::${path.replace(/^.*\/|\.mvsm$/g, '')}$`));
  for (const fn of map.functions.values()) expect(fn.offsets).toEqual([...fn.offsets].sort((a, b) => a - b));
});

test('instructions lead to the text they come from', () => {
  const source = text('stdlib/sources/examples/playground.move');
  const map = readSourceMap(file('stdlib/bytecode/v8/examples/playground.mvsm'));
  const found = [...map.functions.values()].find((fn) => slice(source, fn.definition) === 'add_u8');
  expect(found?.parameters).toEqual(['a', 'b']);
  const add = found === undefined ? undefined : rangeOf(found, 2);
  expect(add === undefined ? '' : slice(source, add)).toBe('a + b');
  expect(found === undefined ? '' : localName(found, 1)).toBe('b');
});

test('each line leads to its first instruction', () => {
  const source = new SourceText(text('stdlib/sources/examples/playground.move'));
  const map = readSourceMap(file('stdlib/bytecode/v8/examples/playground.mvsm'));
  const lines = instructionsByLine(map, source);
  const line = source.lines.findIndex((l) => l.trim() === 'a + b');
  expect(lines.get(line)?.[1]).toBe(0);
});

test('a map fits its own source only', async () => {
  const map = file('stdlib/bytecode/v8/examples/token.mvsm');
  const source = text('stdlib/sources/examples/token.move');
  expect((await linkSource(source, map)).problem).toBeUndefined();
  expect((await linkSource(`${source} `, map)).problem).toMatch(/another version/);
  expect((await linkSource(source, map.subarray(1))).problem).toMatch(/cannot be read/);
});

test('positions count bytes in and UTF-16 out', () => {
  const source = new SourceText('a\nü𝄞b\nc');
  expect(source.position(2)).toEqual({ line: 1, column: 0 });
  expect(source.position(4)).toEqual({ line: 1, column: 1 });
  expect(source.position(8)).toEqual({ line: 1, column: 3 });
  expect(source.position(10)).toEqual({ line: 2, column: 0 });
});

test('damaged maps are errors, never anything else', () => {
  const map = file('stdlib/bytecode/v8/examples/token.mvsm');
  for (let at = 0; at < map.length; at += 7) {
    const damaged = map.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    try {
      readSourceMap(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(BcsError);
    }
    expect(() => readSourceMap(map.subarray(0, at))).toThrow(BcsError);
  }
});

function slice(source: string, range: { readonly start: number; readonly end: number }): string {
  return new TextDecoder().decode(new TextEncoder().encode(source).subarray(range.start, range.end));
}
