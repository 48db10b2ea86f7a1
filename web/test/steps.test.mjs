/** A long run: any position can be shown, and memory stays bounded. `npm run bench` prints what it costs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chain, init } from 'monomove';
import { modules } from './corpus.mjs';

test('a million steps', async () => {
  await init();
  const chain = new Chain();
  chain.publish(modules('tests/golden/bench/bytecode/v8'));
  const call = { function: '0xcafe::bench::bench_sum_loop', args: [61_000], gasLimit: 1n << 62n };
  const before = process.memoryUsage().rss;
  const session = chain.session(call);
  assert.ok(session.length > 1_000_000);
  session.readSteps(0, session.length);
  for (const at of [session.length, 0, 500_000, 999_999, 250_000]) {
    session.seek(at);
    assert.equal(session.state().step, at);
  }
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 200_000_000, `${grown} bytes`);
  session.dispose();
  chain.dispose();
});
