/** After a trap: the instance says that it is poisoned, and a fresh one takes its place. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chain, init, isReady, Module, poisonedBy, reset } from 'monomove';

test('a trap poisons the instance until it is reset', async () => {
  await init();
  const chain = new Chain();
  assert.equal(poisonedBy(), undefined);
  // Machines whose memory does not fit 4 GiB.
  const greedy = () => {
    for (let count = 0; count < 8; count += 1) new Chain({ framework: false, limits: { heapBytes: 2 ** 30 - 1 } });
  };
  assert.throws(greedy, { code: 'poisoned', name: 'PoisonedError' });
  assert.equal(isReady(), false);
  assert.equal(poisonedBy().code, 'poisoned');
  assert.throws(() => chain.balance('0x1'), { code: 'poisoned' });
  assert.throws(() => new Chain(), { code: 'poisoned' });
  assert.throws(() => Module.decode(new Uint8Array(3)), { code: 'poisoned' });
  await init();
  assert.equal(isReady(), false);

  reset();
  assert.equal(isReady(), true);
  assert.throws(() => chain.balance('0x1'), { code: 'poisoned' });
  chain.dispose();
  const next = new Chain();
  next.fund('0xa1', 3n);
  assert.equal(next.balance('0xa1'), 3n);
  next.dispose();
});
