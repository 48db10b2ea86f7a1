import type { FrameState, Value } from 'monomove';
import { describe, expect, test } from 'vitest';
import { columnsOf, recordingOf } from '../testing/double';
import { defaultArgument, parseArgument, substitute } from './arguments';
import { instructionLine } from './assembly';
import { byBlock, byFunction, flame, GasProfile, speedscope } from './gas';
import { fromBase64Url, fromHex, toBase64Url, toHex } from './hex';
import { markRange, tokens } from './highlight';
import { MAX_SCROLL_PIXELS, reveal, rowAt, scrollHeight, scrollTopOf, visibleRows } from './rows';
import { children, grouped, inline, shortType, whereIs } from './values';

describe('hex and base64url', () => {
  test('bytes survive', () => {
    for (let length = 0; length < 70; length += 1) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
      if (length > 0) expect(fromHex(toHex(bytes))).toEqual(bytes);
    }
  });
  test('pasted forms are read, others are not', () => {
    expect(fromHex('0xA1, 0x1c\n eb:0b')).toEqual(Uint8Array.of(0xa1, 0x1c, 0xeb, 0x0b));
    for (const bad of ['', 'a', 'zz', '0x', 'a1 1c q']) expect(fromHex(bad)).toBeUndefined();
    for (const bad of ['a', 'a=b=', 'ä']) expect(fromBase64Url(bad)).toBeUndefined();
  });
});

describe('rows', () => {
  const million = { count: 1_000_000, rowHeight: 20, viewport: 400 };
  test('a long list stays within what browsers can scroll, and reaches both ends', () => {
    expect(scrollHeight(million)).toBe(MAX_SCROLL_PIXELS);
    expect(visibleRows(million, 0).first).toBe(0);
    const end = visibleRows(million, MAX_SCROLL_PIXELS - 400);
    expect(end.first + 20).toBe(1_000_000);
  });
  test('positions and rows are inverse', () => {
    for (const geometry of [million, { count: 100, rowHeight: 19, viewport: 333 }]) {
      for (const row of [0, 1, 17, 50]) expect(rowAt(geometry, scrollTopOf(geometry, row))).toBeCloseTo(row, 5);
    }
  });
  test('a row in view moves nothing, another comes into view', () => {
    const geometry = { count: 100, rowHeight: 20, viewport: 200 };
    expect(reveal(geometry, 0, 5)).toBe(0);
    const top = reveal(geometry, 0, 60);
    expect(rowAt(geometry, top)).toBeLessThan(60);
    expect(rowAt(geometry, top) + 10).toBeGreaterThan(61);
  });
  test('few rows do not scroll', () => {
    expect(visibleRows({ count: 3, rowHeight: 20, viewport: 200 }, 0)).toEqual({ first: 0, count: 3, shift: -0 });
  });
});

describe('arguments', () => {
  test.each([
    ['u8', '255', '255'],
    ['u64', '1_000', '1000'],
    ['u64', '5u64', '5'],
    ['i8', '-128', '-128'],
    ['u256', '0xff', '255'],
    ['bool', 'true', true],
    ['address', '@0xCAFE', '0xcafe'],
    ['&address', '0x1', '0x1'],
    ['0x1::string::String', 'a b', 'a b'],
    ['vector<u8>', '0x00ff', '0x00ff'],
    ['vector<u64>', '[1, 18446744073709551615]', ['1', '18446744073709551615']],
    ['vector<address>', '[@0x1]', ['0x1']],
    ['0x1::option::Option<u64>', 'null', null],
    ['0x1::m::S', '{ "x": 1 }', { x: '1' }],
  ])('%s takes %s', (type, text, value) => {
    expect(parseArgument(type, text)).toEqual({ ok: true, value });
  });
  test.each([
    ['u8', '256'],
    ['u8', '-1'],
    ['u64', ''],
    ['bool', '1'],
    ['address', '1'],
    ['vector<u8>', 'xyz'],
    ['vector<u64>', '5'],
    ['0x1::m::S', '{ x'],
    ['u64', 'bcs:0xz'],
  ])('%s refuses %s', (type, text) => {
    expect(parseArgument(type, text).ok).toBe(false);
  });
  test('bytes of any type, and what to begin with', () => {
    expect(parseArgument('0x1::m::S', 'bcs:0x0102')).toEqual({ ok: true, value: { bcs: Uint8Array.of(1, 2) } });
    for (const type of ['u8', 'bool', 'address', 'vector<u8>', 'vector<u64>', '0x1::string::String']) {
      expect(parseArgument(type, defaultArgument(type)).ok).toBe(true);
    }
    expect(substitute('0x1::m::S<T0, vector<T1>>', ['u8', 'bool'])).toBe('0x1::m::S<u8, vector<bool>>');
  });
});

describe('values', () => {
  const point: Value = {
    kind: 'struct',
    type: '0xcafe::m::Point<u64>',
    fields: [
      { name: 'x', value: { kind: 'u64', value: 1n } },
      { name: 'y', value: { kind: 'bytes', value: Uint8Array.of(0x61, 0x62) } },
    ],
  };
  test('on one line', () => {
    expect(inline(point)).toBe('Point { x: 1, y: b"ab" }');
    expect(inline({ kind: 'vector', type: 'u64', length: 3, elements: [{ kind: 'u64', value: 7n }] })).toBe('[7, …]');
    const reference: Value = { kind: 'reference', type: '&u64', mutable: false, address: 8, target: point };
    expect(inline(reference)).toBe('→ Point { x: 1, y: b"ab" }');
    expect(inline({ kind: 'option', type: 'u64', value: null })).toBe('none');
    expect(inline({ kind: 'bytes', value: new Uint8Array(100) }, 30).length).toBeLessThanOrEqual(30);
    expect(children(reference).length).toBe(2);
  });
  test('guest text cannot hide or break lines', () => {
    const text = inline({ kind: 'string', value: 'a\n\u0007\u202eb\u0085' });
    expect(text).toBe('"a\\n\\u0007\\u202eb\\u0085"');
  });
  test('where an address lies', () => {
    const local = { name: 'l0', type: 'u64', slot: 8, size: 16, bytes: new Uint8Array(), changed: false };
    const frame = (address: number): FrameState => ({
      function: 0,
      offset: 0,
      address,
      locals: [local],
      parameters: 0,
      operands: [],
    });
    const name = (): string => 'p';
    expect(whereIs(116, [frame(0), frame(100)], name)).toBe('p+8');
    expect(whereIs(8, [frame(0), frame(100)], name)).toBe('p of frame 0');
    expect(whereIs(5000, [frame(0)], name)).toBe('heap 0x1388');
  });
  test('names and numbers', () => {
    expect(shortType('0x1::coin::Coin<0xcafe::m::T>')).toBe('Coin<T>');
    expect(grouped(1234567)).toBe('1\u202f234\u202f567');
  });
});

describe('highlighting', () => {
  test('tokens joined are the line', () => {
    for (const line of ['public fun add(a: u8): u8 { // x', '  12: LdU64(5)', 'b"str" 0xcafe::m::T', '']) {
      for (const language of ['move', 'code'] as const) {
        expect(
          tokens(line, language)
            .map((t) => t.text)
            .join(''),
        ).toBe(line);
      }
    }
  });
  test('a range is marked across tokens', () => {
    const marked = markRange(tokens('let x = a + b;', 'move'), 8, 13);
    expect(
      marked
        .filter((t) => t.marked)
        .map((t) => t.text)
        .join(''),
    ).toBe('a + b');
    expect(marked.map((t) => t.text).join('')).toBe('let x = a + b;');
  });
});

describe('gas', () => {
  const steps = recordingOf(4);
  const profile = new GasProfile();
  // In two batches, cut inside of a call.
  profile.feed(columnsOf(steps.slice(0, 8)));
  profile.feed(columnsOf(steps.slice(8), 8));
  profile.finish(200n);
  test('every unit is counted once', () => {
    expect(byFunction(profile)).toEqual([
      { fn: 0, self: 120, total: 200, calls: 1, steps: 12 },
      { fn: 1, self: 80, total: 80, calls: 4, steps: 8 },
    ]);
  });
  test('by block', () => {
    const blocks = byBlock(profile, (fn) => (fn === 0 ? [0, 2] : [0]));
    expect(blocks).toEqual([
      { fn: 0, start: 0, gas: 80, count: 4 },
      { fn: 1, start: 0, gas: 80, count: 4 },
      { fn: 0, start: 2, gas: 40, count: 4 },
    ]);
  });
  test('as a flame graph and as a file', () => {
    expect(flame(profile)).toMatchObject([
      { fn: 0, level: 0, x: 0, width: 1, gas: 200 },
      { fn: 1, level: 1, width: 0.4, calls: 4 },
    ]);
    const file = JSON.parse(speedscope(profile, 'x', (fn) => `f${fn}`)) as { profiles: { weights: number[] }[] };
    expect(file.profiles[0]?.weights).toEqual([120, 80]);
  });
});

test('the line of an instruction in assembler text', () => {
  const source =
    'module 0x1::m\n\nfun a()\n  ret\n\n// x\npublic fun b(x: u64): u64\n  local y: u64\nl: copy_loc x\nm:\n  pop\n  ret\n';
  expect(instructionLine(source, 0, 0)).toBe(3);
  expect(instructionLine(source, 1, 0)).toBe(8);
  expect(instructionLine(source, 1, 1)).toBe(10);
  expect(instructionLine(source, 1, 2)).toBe(11);
  expect(instructionLine(source, 1)).toBe(6);
  expect(instructionLine(source, 2)).toBeUndefined();
});
