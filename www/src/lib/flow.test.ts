import { expect, test } from 'vitest';
import { arcs, FlowProfile, graphOf } from './flow';

const TEXTS = new Map([
  [0, 'ld_u64 0'],
  [1, 'st_loc l0'],
  [2, 'copy_loc l0'],
  [3, 'br_false L1 (6)'],
  [4, 'call f'],
  [5, 'branch L0 (2)'],
  [6, 'ret'],
]);

test('blocks and edges come from the listing', () => {
  const { blocks, edges } = graphOf([0, 2, 4, 6], TEXTS);
  expect(blocks.map((b) => [b.start, b.end, b.exit])).toEqual([
    [0, 1, 'st_loc l0'],
    [2, 3, 'br_false L1 (6)'],
    [4, 5, 'branch L0 (2)'],
    [6, 6, 'ret'],
  ]);
  expect(edges).toEqual([
    { from: 0, to: 1 },
    { from: 1, to: 2 },
    { from: 1, to: 3 },
    { from: 2, to: 1 },
  ]);
});

test('what a recording went over is counted, frame by frame', () => {
  const profile = new FlowProfile(0, graphOf([0, 2, 4, 6], TEXTS));
  // One round of the loop with a call of the same function, which leaves the loop at once.
  const offsets = [0, 1, 2, 3, 4, 0, 1, 2, 3, 6, 5, 2, 3, 6];
  const depth = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0];
  profile.feed({
    from: 0,
    count: offsets.length,
    function: new Uint32Array(offsets.length),
    offset: Uint16Array.from(offsets),
    depth: Uint16Array.from(depth),
    gas: new BigUint64Array(offsets.length),
  });
  expect([...profile.blocks].sort()).toEqual([
    [0, 2],
    [1, 3],
    [2, 1],
    [3, 2],
  ]);
  expect([...profile.edges].sort()).toEqual([
    ['0:1', 2],
    ['1:2', 1],
    ['1:3', 2],
    ['2:1', 1],
  ]);
});

test('arcs that run side by side have lanes of their own', () => {
  const made = arcs([
    { from: 0, to: 3 },
    { from: 0, to: 1 },
    { from: 1, to: 2 },
    { from: 2, to: 1 },
  ]);
  expect(made.map(({ from, to, lane }) => [from, to, lane])).toEqual([
    [0, 1, 0],
    [1, 2, 0],
    [2, 1, 1],
    [0, 3, 2],
  ]);
});
