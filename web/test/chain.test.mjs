/** The chain: publishing, calls, values, snapshots, errors. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as monomove from 'monomove';
import { modules } from './corpus.mjs';

const { Chain, Module, init } = monomove;
const examples = modules('tests/stdlib/bytecode/v8/examples');
const golden = modules('tests/golden/bytecode/v8');

test('before init', () => {
  assert.equal(monomove.isReady(), false);
  assert.throws(() => new Chain(), { code: 'not_initialized' });
});

test('init is idempotent', async () => {
  await Promise.all([init(), init()]);
  await init();
  assert.equal(monomove.isReady(), true);
});

test('coins', () => {
  const chain = new Chain();
  chain.fund('0xa1', 1000n);
  assert.equal(chain.balance('0xa1'), 1000n);
  const transfer = { function: '0x1::native_coin::transfer', signers: ['0xa1'], entryOnly: true };
  chain.fund('0xb2', 1n);
  const outcome = chain.run({ ...transfer, args: ['0xb2', 400n] });
  assert.equal(outcome.kind, 'kept');
  assert.equal(outcome.success, true);
  assert.ok(outcome.changes.every((one) => one.before && one.after));
  assert.equal(chain.balance('0xb2'), 401n);
  const failed = chain.run({ ...transfer, args: ['0xb2', 10_000n] });
  assert.deepEqual([failed.kind, failed.success, failed.failure.status], ['kept', false, 'ABORTED']);
  assert.equal(chain.balance('0xa1'), 600n);
  const resource = chain.getResource('0xa1', '0x1::native_coin::Balance');
  assert.equal(resource.value.kind, 'struct');
  assert.equal(chain.getResource('0xa1', '0x1::native_coin::Supply'), undefined);
});

test('publish verifies, initializes, and is atomic', () => {
  const chain = new Chain();
  const published = chain.publish(examples);
  assert.deepEqual(
    published.map((one) => one.replaced),
    [false, false, false, false, false],
  );
  assert.throws(() => chain.publish(examples, { sender: '0x2' }), { code: 'publish' });
  assert.throws(() => chain.publish(new Uint8Array([1, 2, 3])), { code: 'publish' });
  const before = chain.entries({ modules: true });
  const bad = Module.assemble('module 0x5::bad\nfun f(): u64\n    ret\n');
  assert.equal(bad.ok, true, JSON.stringify(bad.diagnostics));
  assert.throws(
    () => chain.publish(bad.bytes),
    (error) => error.code === 'publish' && error.problem.statusCode > 1000,
  );
  assert.deepEqual(chain.entries({ modules: true }), before);
  assert.equal(Module.decode(bad.bytes).verify().ok, false);
});

test('values both ways', () => {
  const chain = new Chain();
  for (const [type, value, shown] of [
    ['bool', true, { kind: 'bool', value: true }],
    ['u8', 200, { kind: 'u8', value: 200 }],
    ['i32', -5, { kind: 'i32', value: -5 }],
    ['u64', 2n ** 64n - 1n, { kind: 'u64', value: 2n ** 64n - 1n }],
    ['u256', 2n ** 256n - 1n, { kind: 'u256', value: 2n ** 256n - 1n }],
    ['i256', -(2n ** 255n), { kind: 'i256', value: -(2n ** 255n) }],
    ['address', '0xcafe', { kind: 'address', value: '0xcafe' }],
    ['vector<u8>', new Uint8Array([1, 2]), { kind: 'bytes', value: new Uint8Array([1, 2]) }],
    ['0x1::string::String', 'u64:5', { kind: 'string', value: 'u64:5' }],
  ]) {
    assert.deepEqual(chain.decodeValue(type, chain.encodeValue(type, value)), shown);
  }
  const option = chain.decodeValue('0x1::option::Option<u64>', chain.encodeValue('0x1::option::Option<u64>', null));
  assert.deepEqual([option.kind, option.value], ['option', null]);
  const nested = chain.encodeValue('vector<vector<u16>>', [[1, 2], []]);
  assert.deepEqual([...nested], [2, 2, 1, 0, 2, 0, 0]);
  assert.throws(() => chain.encodeValue('u8', 256), { code: 'invalid_argument' });
  assert.throws(() => chain.encodeValue('u8', 'x'), { code: 'invalid_argument' });
  assert.throws(() => chain.encodeValue('nonsense', 1), { code: 'invalid_argument' });
  assert.equal(chain.decodeValue('u64', new Uint8Array(3)).kind, 'undecoded');
});

test('blocks and snapshots', () => {
  const chain = new Chain();
  chain.fund('0xa1', 100n);
  chain.fund('0xb2', 0n);
  const transfer = (amount) => ({ function: '0x1::native_coin::transfer', signers: ['0xa1'], args: ['0xb2', amount] });
  const saved = chain.snapshot();
  const { transactions } = chain.executeBlock([transfer(60n), transfer(60n), transfer(40n)]);
  assert.deepEqual(
    transactions.map((one) => one.success),
    [true, false, true],
  );
  assert.equal(chain.balance('0xb2'), 100n);
  chain.restore(saved);
  assert.equal(chain.balance('0xb2'), 0n);
  chain.executeBlock([transfer(60n)], { commit: false });
  chain.run(transfer(60n), { commit: false });
  assert.equal(chain.balance('0xb2'), 0n);
});

test('view returns values or throws', () => {
  const chain = new Chain();
  chain.publish(golden.filter((bytes) => ['0xcafe::arith', '0xcafe::generics'].includes(Module.decode(bytes).id)));
  const [sum] = chain.view({ function: '0xcafe::arith::add_u8', args: [1, 2] });
  assert.deepEqual(sum.value, { kind: 'u8', value: 3 });
  assert.throws(() => chain.view({ function: '0xcafe::arith::add_u8', args: [255, 2] }), {
    code: 'move',
    message: /ARITHMETIC_ERROR/,
  });
  const discarded = chain.run({ function: '0xcafe::arith::nothing' });
  assert.equal(discarded.kind, 'discarded');
});

test('modules and listings', () => {
  for (const bytes of [...examples, ...golden]) {
    const module = Module.decode(bytes);
    const lines = module.disassemble().lines.filter((line) => line.offset !== undefined);
    const instructions = module.abi.functions.reduce((sum, one) => sum + one.instructions, 0);
    assert.equal(lines.length, instructions);
    for (const line of lines) assert.match(line.text, new RegExp(`^ *${line.offset}: `));
  }
  assert.throws(
    () => Module.decode(new Uint8Array(9)),
    (error) => error.code === 'format' && error.problem.byte === 0,
  );
});

test('the assembler points at errors', () => {
  const source = 'module 0x1::m\nfun f(x: u64): u64\n    mov_loc x\n    ret\n';
  const { ok, diagnostics } = Module.assemble(source);
  assert.equal(ok, false);
  assert.equal(diagnostics[0].line, 3);
  assert.equal(source.slice(diagnostics[0].start, diagnostics[0].end), 'mov_loc');
});

test('disposal', () => {
  const chain = new Chain({ framework: false });
  chain.dispose();
  chain.dispose();
  assert.throws(() => chain.modules(), { code: 'disposed' });
});
