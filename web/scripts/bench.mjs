/** What recording and stepping cost: ratios and times on this machine. Run `npm run build` first. */

import { Chain, init } from 'monomove';
import { modules } from '../test/corpus.mjs';

await init();
const chain = new Chain();
chain.publish(modules('tests/golden/bench/bytecode/v8'));

/** The best time of some tries, in milliseconds. */
function best(work, tries = 7) {
  const times = Array.from({ length: tries }, (_, index) => {
    const start = performance.now();
    work(index);
    return performance.now() - start;
  });
  return Math.min(...times);
}

const kernels = [
  ['bench_fib', 22],
  ['bench_sum_loop', 61_000],
  ['bench_sieve', 20_000],
  ['bench_merge_sort', 1_700],
];
for (const [name, argument] of kernels) {
  const call = { function: `0xcafe::bench::${name}`, args: [argument], gasLimit: 1n << 62n };
  // Many tries, so that the engine has compiled what runs.
  const run = best(() => chain.run(call, { commit: false }), 40);
  const record = best(() => chain.session(call).dispose());
  const session = chain.session(call);
  const { length } = session;
  // Each of these opens a window that was not open.
  const seek = best((index) => session.seek(length - 1 - index * 8192), 24);
  const step = best(() => {
    session.stepBack();
    session.state();
  }, 1000);
  const outline = best(() => {
    const other = chain.session(call);
    other.readSteps(0, 1);
    other.dispose();
  });
  session.dispose();
  const figures = [
    `${length} steps`,
    `run ${run.toFixed(2)} ms`,
    `recording ${(record / run).toFixed(2)}x`,
    `step and state ${step.toFixed(3)} ms`,
    `seek near the end ${seek.toFixed(1)} ms`,
    `all columns ${outline.toFixed(1)} ms`,
  ];
  console.log(`${name.padEnd(18)} ${figures.join(', ')}`);
}
