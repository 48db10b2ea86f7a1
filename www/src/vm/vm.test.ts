import type { FunctionAbi, Value } from 'monomove';
import { expect, test } from 'vitest';
import { columnsOf, recordingOf } from '../testing/double';
import { sortFiles } from '../ui/files';
import { condition } from './breakpoints';
import { defaultCall, fieldsOf, prepare } from './call';
import { differences } from './differences';
import { CHUNK, StepCache } from './steps';

const FN: FunctionAbi = {
  name: 'swap',
  index: 0,
  visibility: 'public',
  entry: true,
  native: false,
  typeParameters: [{ constraints: ['copy', 'drop'], phantom: false }],
  parameters: ['&signer', 'signer', 'u64', 'vector<T0>'],
  returns: [],
  instructions: 1,
};

test('the fields of a call', () => {
  expect(fieldsOf(FN, ['u8'])).toEqual({
    typeParameters: ['T0: copy + drop'],
    signers: 2,
    parameters: ['u64', 'vector<u8>'],
  });
  const call = defaultCall('0x1::m', FN);
  expect(call).toMatchObject({
    function: '0x1::m::swap',
    typeArguments: ['u64'],
    signers: ['0xa1', '0xb2'],
    args: ['0', '[]'],
  });
  expect(prepare(call, FN, 5n)).toEqual({
    ok: true,
    request: {
      function: '0x1::m::swap',
      typeArguments: ['u64'],
      args: ['0', []],
      signers: ['0xa1', '0xb2'],
      gasLimit: 5n,
    },
  });
  const wrong = prepare({ ...call, signers: ['x', '0x1'], typeArguments: [''], args: ['-1', '['] }, FN, 5n);
  expect(wrong.ok ? [] : wrong.problems.map((p) => `${p.field} ${p.index}`)).toEqual([
    'type 0',
    'signer 0',
    'argument 0',
    'argument 1',
  ]);
});

test('breakpoints are conditions', () => {
  expect(condition('0x1::m::f')).toEqual({ at: 'instruction', function: '0x1::m::f' });
  expect(condition('0x1::m::f+12')).toEqual({ at: 'instruction', function: '0x1::m::f', offset: 12 });
  expect(condition('0x1::m::f+12 if l3 >= 500')).toEqual({
    at: 'instruction',
    function: '0x1::m::f',
    offset: 12,
    when: { place: 'l3', is: '>=', value: '500' },
  });
  expect(condition('0x1::m::f+12 if l3 = 500')).toBeUndefined();
  expect(condition('gas>=9')).toEqual({ at: 'gas', used: 9n });
  expect(condition('nonsense')).toBeUndefined();
});

test('steps are read in chunks, once, and found both ways', async () => {
  const steps = recordingOf(2000);
  let reads = 0;
  const cache = new StepCache(steps.length, async (from, count) => {
    reads += 1;
    return columnsOf(steps.slice(from, from + count), from);
  });
  expect(cache.peek(0)).toBeUndefined();
  await Promise.all([cache.chunk(0), cache.chunk(5)]);
  expect(reads).toBe(1);
  expect(cache.peek(7)).toMatchObject({ step: 7, fn: 1, offset: 0, depth: 1, gas: 70n });
  expect(cache.has(0, CHUNK)).toBe(true);
  expect(cache.has(0, CHUNK + 1)).toBe(false);
  const leaf = (fn: number, offset: number): boolean => fn === 1 && offset === 0;
  expect(await cache.find(0, 1, leaf)).toBe(2);
  expect(await cache.find(9_999, -1, leaf)).toBe(9_997);
  expect(await cache.find(9_997, 1, leaf)).toBe(-1);
});

test('files are sorted by their endings', () => {
  const of = (name: string) => ({ name, bytes: Uint8Array.of(1) });
  const sorted = sortFiles([of('a.mv'), of('a.move'), of('b.mvsm'), of('c.masm'), of('d.txt'), of('raw')]);
  expect(sorted.modules.length).toBe(2);
  expect(sorted.modules[0]?.source).toBe('\u0001');
  expect(sorted.assembly).toBe('\u0001');
  expect(sorted.unknown).toEqual(['d.txt']);
  expect(sorted.loose).toEqual([{ id: undefined, map: Uint8Array.of(1) }]);
});

test('the differences of two values are their leaves', () => {
  const value = (n: bigint, m: bigint): Value => ({
    kind: 'struct',
    type: '0x1::m::S',
    fields: [
      { name: 'a', value: { kind: 'u64', value: n } },
      { name: 'b', value: { kind: 'option', type: 'u64', value: { kind: 'u64', value: m } } },
    ],
  });
  expect(differences(value(1n, 2n), value(1n, 3n))).toEqual([{ path: 'b.some', before: '2', now: '3' }]);
  expect(differences(value(1n, 2n), value(1n, 2n))).toEqual([]);
  expect(differences(undefined, { kind: 'bool', value: true })).toEqual([{ path: '', before: '–', now: 'true' }]);
});
