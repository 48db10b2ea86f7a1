/** The worker: the same answers, abort, hard stop. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spawn } from 'monomove/worker';
import { modules } from './corpus.mjs';

const bench = modules('tests/golden/bench/bytecode/v8');
const fib = (n) => ({ function: '0xcafe::bench::bench_fib', args: [n], gasLimit: 1n << 63n });

test('a chain and a session in a worker', async (t) => {
  const engine = await spawn();
  t.after(() => engine.terminate());
  const chain = await engine.createChain();
  await chain.publish(bench);
  await chain.fund('0xa1', 5n);
  assert.equal(await chain.balance('0xa1'), 5n);
  const outcome = await chain.run(fib(10));
  assert.equal(outcome.success, true);
  const session = await chain.session(fib(10));
  assert.deepEqual(session.outcome, outcome);
  const stop = await session.seek(session.length);
  assert.equal(session.position, stop.step);
  const columns = await session.readSteps(0, 10);
  assert.equal(columns.function.length, 10);
  assert.equal((await session.state()).frames.length, 1);
  const saved = await chain.snapshot();
  await chain.fund('0xa1', 5n);
  await chain.restore(saved);
  assert.equal(await chain.balance('0xa1'), 5n);
  await assert.rejects(chain.view({ function: '0xcafe::bench::nothing' }), { code: 'move' });
  await assert.rejects(engine.decode(new Uint8Array(4)), { code: 'format' });
  assert.equal((await engine.decode(bench[0])).verdict.ok, true);
});

test('aborting a request that runs ends the worker', async () => {
  const engine = await spawn();
  const chain = await engine.createChain();
  await chain.publish(bench);
  const endless = chain.run(fib(60), { signal: AbortSignal.timeout(200) });
  const waiting = chain.balance('0x1');
  const rejected = assert.rejects(waiting, { code: 'terminated' });
  await assert.rejects(endless, { code: 'aborted' });
  await rejected;
  assert.equal(engine.terminated, true);
  await assert.rejects(chain.balance('0x1'), { code: 'terminated' });
  assert.match(await engine.closed, /aborted/);
});

test('aborting a request that waits drops it', async (t) => {
  const engine = await spawn();
  t.after(() => engine.terminate());
  const chain = await engine.createChain();
  await chain.publish(bench);
  const running = chain.run(fib(20));
  const controller = new AbortController();
  const waiting = chain.run(fib(10), { signal: controller.signal });
  controller.abort(new Error('not needed'));
  await assert.rejects(waiting, (error) => error.code === 'aborted' && error.cause.message === 'not needed');
  assert.equal((await running).success, true);
  assert.equal(engine.terminated, false);
});

test('an idle worker records around the position', async (t) => {
  const engine = await spawn();
  t.after(() => engine.terminate());
  const chain = await engine.createChain();
  await chain.publish(bench);
  const session = await chain.session(fib(16));
  await session.seek(10_000);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(await session.prefetch(), false);
});
