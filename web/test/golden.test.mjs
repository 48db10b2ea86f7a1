/** Every golden case through the npm API: results, effects, instruction counts and gas. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chain, init } from 'monomove';
import { cases, expected, gas, modules, request, seen } from './corpus.mjs';

await init();

const TYPE_NODE_GAS = 4000;

function chainAt(version) {
  const chain = new Chain({ framework: false });
  // The corpus holds modules that no verifier accepts.
  const options = { verify: false, init: false };
  const library = [...modules('tests/stdlib/bytecode/v8/std'), ...modules('tests/stdlib/bytecode/v8/framework')];
  chain.publish(library, options);
  chain.publish(
    [...modules(`tests/golden/bytecode/v${version}`), ...modules(`tests/golden/bench/bytecode/v${version}`)],
    options,
  );
  return chain;
}

for (const version of [8, 7, 6]) {
  test(`golden cases at bytecode version ${version}`, () => {
    const chain = chainAt(version);
    const fresh = chain.snapshot();
    const recorded = gas();
    let passed = 0;
    for (const one of cases().filter((one) => one.min_version <= version)) {
      one.steps.forEach((step, index) => {
        const before = ({ address, type }) => {
          const found = chain.getResource(address, type);
          return found && Buffer.from(found.bcs).toString('hex');
        };
        const must = expected(step.expect, one.sequence, before);
        const outcome = chain.run(request(step, index + 1), { commit: one.sequence });
        assert.deepEqual(seen(outcome, one.sequence), must, `${one.id} step ${index + 1}`);
        const figures = recorded.get(`${one.id}@${version}`)?.[index];
        if (figures && outcome.kind === 'kept') {
          const { instructions, instructionGas } = outcome;
          const must = [BigInt(figures.instructions), BigInt(figures.gas - TYPE_NODE_GAS * figures.type_nodes)];
          assert.deepEqual([instructions, instructionGas], must, `${one.id} step ${index + 1}: instructions and gas`);
        }
      });
      if (one.sequence) chain.restore(fresh);
      passed += 1;
    }
    assert.ok(passed > 500);
  });
}
