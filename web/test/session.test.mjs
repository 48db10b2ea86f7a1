/** Sessions: movements, states, batches, both ways. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Chain, init, Module } from 'monomove';
import { modules } from './corpus.mjs';

let chain;
before(async () => {
  await init();
  chain = new Chain();
  chain.publish(modules('tests/stdlib/bytecode/v8/examples'));
  const options = { verify: false };
  chain.publish([...modules('tests/golden/bytecode/v8'), ...modules('tests/golden/bench/bytecode/v8')], options);
  chain.fund('0xa1', 1000n);
  chain.fund('0xb2', 1n);
});

const fib = (n) => ({ function: '0xcafe::bench::bench_fib', args: [n], gasLimit: 1n << 62n });

test('the outcome is that of a run', () => {
  const run = chain.run(fib(10), { commit: false });
  const session = chain.session(fib(10));
  assert.deepEqual(session.outcome, run);
  assert.equal(BigInt(session.length), run.instructions);
  assert.equal(session.end, 'complete');
});

test('forward and back give the same states', () => {
  const session = chain.session({ function: '0xcafe::bench::bench_merge_sort', args: [12] });
  // What the last movement changed depends on the movement.
  const still = (state) =>
    JSON.stringify({ ...state, changes: [] }, (key, value) => {
      if (key === 'changed') return undefined;
      return typeof value === 'bigint' ? String(value) : value;
    });
  const states = [];
  do states.push(still(session.state()));
  while (session.step().reason !== 'end' && session.position < session.length);
  states.push(still(session.state()));
  assert.equal(states.length, session.length + 1);
  for (let at = session.length; at > 0; at -= 1) {
    assert.equal(session.position, at);
    assert.equal(still(session.state()), states[at]);
    session.stepBack();
  }
  assert.equal(session.stepBack().reason, 'start');
  for (const at of [7, 500, 3, session.length, 0]) {
    session.seek(at);
    assert.equal(still(session.state()), states[at]);
  }
});

test('columns agree with states', () => {
  const session = chain.session(fib(8));
  const columns = session.readSteps(0, session.length);
  assert.equal(columns.count, session.length);
  assert.equal(session.readSteps(session.length - 1, 100).count, 1);
  assert.throws(() => session.readSteps(session.length + 1, 1), { code: 'invalid_argument' });
  for (let at = 0; at < session.length; at += 17) {
    session.seek(at);
    const state = session.state();
    const top = state.frames.at(-1);
    const row = [columns.function[at], columns.offset[at], columns.depth[at], columns.gas[at]];
    assert.deepEqual(row, [top.function, top.offset, state.frames.length - 1, state.gasUsed]);
    assert.equal(state.gasUsed + state.gasLeft, session.gasLimit);
  }
});

test('over and out', () => {
  const session = chain.session(fib(6));
  const depth = () => session.state().frames.length;
  while (depth() < 3) session.step();
  const inside = session.position;
  session.stepOut();
  assert.equal(depth(), 2);
  session.stepOut('back');
  assert.equal(depth(), 1);
  session.seek(inside);
  session.stepOut('back');
  assert.equal(depth(), 2);
  session.stepOver();
  assert.equal(depth(), 2);
  assert.ok(session.position > inside);
  session.stepOver('back');
  assert.equal(depth(), 2);
  assert.ok(session.position < inside);
});

test('breakpoints both ways', () => {
  const session = chain.session(fib(7));
  const at = { at: 'instruction', function: '0xcafe::bench::fib' };
  const forward = [];
  for (let stop = session.runUntil(at); stop.reason === 'condition'; stop = session.runUntil(at))
    forward.push(stop.step);
  assert.equal(session.position, session.length);
  const back = [];
  for (let stop = session.runUntil(at, 'back'); stop.reason === 'condition'; stop = session.runUntil(at, 'back')) {
    back.push(stop.step);
  }
  assert.deepEqual(back.reverse(), forward);
  assert.ok(forward.length > 20);
  const gas = session.runUntil({ at: 'gas', used: 1_000_000n });
  assert.equal(gas.reason, 'condition');
});

test('an abort', () => {
  const session = chain.session({ function: '0x1::native_coin::transfer', signers: ['0xa1'], args: ['0xb2', 5000n] });
  assert.equal(session.outcome.success, false);
  const stop = session.runUntil({ at: 'failure' });
  assert.deepEqual([stop.reason, stop.step], ['condition', session.length - 1]);
  assert.ok(session.eventsOf(stop.step).some((event) => event.kind === 'fail' && event.status === 'ABORTED'));
  const top = session.state().frames.at(-1);
  assert.equal(top.offset, session.outcome.failure.location.offset);
});

test('global values before and after', () => {
  const session = chain.session({ function: '0x1::native_coin::transfer', signers: ['0xa1'], args: ['0xb2', 400n] });
  assert.equal(session.globals().length, 0);
  session.seek(session.length);
  const amounts = session
    .globals()
    .map((one) => [one.key, one.before.value.fields[0]?.value.fields?.[0]?.value.value, one]);
  const of = (account) => amounts.find(([key]) => key.startsWith(`${account}/`) && key.includes('Balance'))[2];
  const amount = (stored) => BigInt(`0x${Buffer.from(stored.bcs).reverse().toString('hex')}`);
  assert.deepEqual([amount(of('0xa1').before), amount(of('0xa1').now)], [1000n, 600n]);
  assert.deepEqual([amount(of('0xb2').before), amount(of('0xb2').now)], [1n, 401n]);
  assert.equal(session.runUntil({ at: 'global', write: true }, 'back').reason, 'condition');
  assert.ok(session.events().length >= 0);
  assert.equal(chain.balance('0xa1'), 1000n);
});

test('values, references, heap', () => {
  const session = chain.session({ function: '0xcafe::bench::bench_merge_sort', args: [8] });
  let references = 0;
  let vectors = 0;
  while (session.position < session.length) {
    for (const frame of session.state().frames) {
      for (const place of [...frame.locals.filter((one) => one.value), ...frame.operands]) {
        assert.notEqual(place.value.kind, 'undecoded', `${place.type} at step ${session.position}`);
        if (place.value.kind === 'reference') {
          references += 1;
          assert.notEqual(place.value.target.kind, 'undecoded', `${place.type} at step ${session.position}`);
        }
        if (place.value.kind === 'vector') vectors += 1;
      }
    }
    session.step();
  }
  assert.ok(references > 50 && vectors > 50);
  const objects = session.heap();
  assert.ok(objects.length > 0);
  for (const { address, size } of objects) {
    const { bytes, value } = session.object(address);
    assert.equal(bytes.length, size);
    assert.notEqual(value.kind, 'undecoded');
    assert.deepEqual(session.bytes(address, size), bytes);
  }
});

test('types and lowering', () => {
  const session = chain.session({ function: '0xcafe::bench_enum::bench_enum_match', args: [5] });
  session.seek(session.length);
  session.depthProfile(16);
  const types = session.types();
  const shape = types.find((type) => type.kind === 'enum');
  assert.ok(shape.size > 0 && shape.align > 0 && shape.variants.length > 1);
  assert.ok(shape.variants.every((one) => one.fields.every((field) => field.name !== '' && field.offset >= 2)));
  const ids = new Set(types.map((type) => type.id));
  assert.ok(types.every((type) => type.refersTo.every((id) => ids.has(id))));
  assert.ok(types.some((type) => type.usedBy.length > 0));
  for (const fn of session.functions().filter((one) => !one.native)) {
    const { levels } = session.lowering(fn.index);
    assert.deepEqual(
      levels.map((level) => level.name),
      ['bytecode', 'stackless', 'micro-ops'],
    );
    const offsets = new Set(levels[0].lines.map((line) => line.offset).filter((offset) => offset !== undefined));
    for (const level of levels) {
      const linked = level.lines.filter((line) => line.offset !== undefined);
      assert.ok(linked.length > 0 && linked.every((line) => offsets.has(line.offset)), level.name);
    }
  }
});

test('a call without steps', () => {
  const session = chain.session({ function: '0xcafe::bench::nothing' });
  assert.deepEqual([session.outcome.kind, session.length], ['discarded', 0]);
  assert.deepEqual(session.state().frames, []);
  assert.equal(session.step().reason, 'end');
  assert.equal(session.readSteps(0, 10).count, 0);
});

test('limits', () => {
  const session = chain.session(fib(12), { maxSteps: 100 });
  assert.deepEqual([session.length, session.end], [100, 'steps']);
  session.seek(100);
  assert.equal(session.state().step, 100);
});

test('many sessions do not eat memory', () => {
  for (let count = 0; count < 200; count += 1) {
    const session = chain.session(fib(3));
    session.seek(session.length);
    session.dispose();
  }
});

test('function values are shown with what they captured', () => {
  const session = chain.session({ function: '0xcafe::playground::closure_captures', args: [5n, 10n] });
  const functions = [];
  const objects = [];
  do {
    const { frames } = session.state();
    const places = frames.flatMap((frame) => [...frame.locals, ...frame.operands]);
    for (const { value } of places) {
      assert.notEqual(value?.kind, 'undecoded');
      if (value?.kind === 'function') functions.push(value);
    }
    const closure = session.heap().find((object) => object.kind === 'closure');
    if (closure !== undefined) objects.push(session.object(closure.address));
  } while (session.step().reason !== 'end' && session.position < session.length);
  assert.ok(functions.length > 0 && objects.length > 0);
  for (const { name, captured } of functions) {
    assert.match(name, /^0xcafe::playground::__lambda/);
    assert.deepEqual(captured, [{ kind: 'u64', value: 5n }]);
  }
  assert.deepEqual(objects[0].value.captured, [{ kind: 'u64', value: 5n }]);
  assert.match(objects[0].object.type, /^\|u64\|/);
});

test('collections have their steps, and global values are found where they were moved to', () => {
  const own = new Chain({ limits: { heapBytes: 16 * 1024 } });
  const made = Module.assemble(`
module 0xcafe::kept
struct Box has key
    n: u64

// Puts a box into storage, makes garbage, and counts in the box.
public fun churn(account: &signer, rounds: u64): u64 acquires Box
    local here: address
    local n: &mut u64
    copy_loc rounds
    vec_pack<u64>, 1
    pop
    copy_loc account
    ld_u64 0
    pack Box
    move_to Box
    ld_const<address> 0xa1
    st_loc here
again: copy_loc rounds
    ld_u64 0
    gt
    br_false done
    copy_loc rounds
    copy_loc rounds
    copy_loc rounds
    copy_loc rounds
    vec_pack<u64>, 4
    pop
    copy_loc here
    mut_borrow_global Box
    mut_borrow_field Box, n
    st_loc n
    copy_loc n
    read_ref
    ld_u64 1
    add
    move_loc n
    write_ref
    move_loc rounds
    ld_u64 1
    sub
    st_loc rounds
    branch again
done: move_loc here
    borrow_global Box
    borrow_field Box, n
    read_ref
    ret
`);
  assert.ok(made.ok, JSON.stringify(made));
  own.publish(made.bytes);
  const session = own.session({ function: '0xcafe::kept::churn', signers: ['0xa1'], args: [1000n] });
  assert.equal(session.outcome.success, true);
  const collections = session.collections();
  assert.ok(collections.length > 1);
  for (const { step, before, after, live } of collections) {
    assert.ok(live <= after && after < before);
    session.seek(step);
    assert.equal(session.state().heapBytes, before);
    session.step();
    assert.equal(session.state().heapBytes, after);
    assert.deepEqual(session.eventsOf(step), [{ kind: 'collect', before, after, live }]);
  }
  session.seek(0);
  const stops = collections.map(() => session.runUntil({ at: 'collection' }).step);
  assert.deepEqual(
    stops,
    collections.map(({ step }) => step),
  );
  const addresses = new Set();
  const boxed = (step) => {
    session.seek(step);
    const [box] = session.globals();
    addresses.add(box.address);
    return box.now.value.fields[0].value.value;
  };
  const values = [100, 2000, session.length >> 1, session.length - 5, session.length].map(boxed);
  assert.equal(values.at(-1), 1000n);
  assert.ok(addresses.size > 1, 'it moved');
  for (const [i, value] of values.entries()) assert.ok(i === 0 || value >= values[i - 1], `${values}`);
  own.dispose();
});

test('the windows beside the position are recorded ahead', () => {
  const session = chain.session(fib(16));
  session.seek(10_000);
  assert.equal(session.prefetch(), true);
  assert.equal(session.prefetch(), true);
  assert.equal(session.prefetch(), false);
  assert.equal(session.position, 10_000);
  session.seek(0);
  assert.equal(session.prefetch(), false);
});

test('breakpoints with conditions, both ways', () => {
  const session = chain.session(fib(10));
  session.readSteps(0, 1);
  const recursive = session.functions().at(-1);
  const plain = { at: 'instruction', function: `${recursive.module}::${recursive.name}` };
  const when = (is, value) => ({ ...plain, when: { place: 'p0', is, value } });
  const stops = (condition, direction) => {
    session.seek(direction === 'back' ? session.length : 0);
    const found = [];
    while (session.runUntil(condition, direction).reason === 'condition') found.push(session.position);
    return found;
  };
  const argument = (step) => {
    session.seek(step);
    return session.frame().locals[0].value.value;
  };
  const all = stops(plain);
  assert.ok(all.length > 10);
  const three = all.filter((step) => argument(step) === 3n);
  assert.ok(three.length > 1);
  assert.deepEqual(stops(when('==', '3')), three);
  assert.deepEqual(stops(when('==', '3'), 'back'), [...three].reverse());
  assert.deepEqual(
    stops(when('>=', '4')),
    all.filter((step) => argument(step) >= 4n),
  );
  assert.deepEqual(stops(when('==', 'nonsense')), []);
  assert.throws(() => session.runUntil({ ...plain, when: { place: 'x0', is: '==', value: '3' } }), {
    code: 'invalid_argument',
  });
});

test('a collection changes what points into the heap, and no number', () => {
  const own = new Chain({ limits: { heapBytes: 16 * 1024 } });
  own.publish(modules('tests/stdlib/bytecode/v8/examples'));
  const session = own.session({ function: '0xcafe::playground::churn', args: [40n, 12n] });
  const [{ step }] = session.collections();
  session.seek(step);
  const value = ({ locals }) => locals.map((local) => String(local.value?.value));
  const before = session.state().frames.map(value);
  session.step();
  const { frames } = session.state();
  let moved = 0;
  for (const [at, frame] of frames.entries()) {
    for (const [i, local] of frame.locals.entries()) {
      if (local.type === 'u64') assert.equal(local.changed, before[at][i] !== String(local.value?.value), local.name);
      else moved += Number(local.changed);
    }
  }
  assert.ok(moved > 0);
  own.dispose();
});
