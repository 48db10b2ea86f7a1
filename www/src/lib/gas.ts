/** Where gas went: by function, by basic block, by call; summed from the columns of a recording. */

import type { StepColumns } from 'monomove';

/** A function on a path of calls: what it and its callees used there. Calls with the same path are one node. */
export interface CallNode {
  /** Index into the functions of the session; -1 for the root. */
  readonly fn: number;
  readonly children: Map<number, CallNode>;
  /** Gas of its own instructions. */
  self: number;
  calls: number;
  /** Instructions of its own. */
  steps: number;
}

function node(fn: number): CallNode {
  return { fn, children: new Map(), self: 0, calls: 0, steps: 0 };
}

/** Gas of a node with its callees. */
export function total(of: CallNode): number {
  let sum = 0;
  const stack = [of];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    sum += next.self;
    stack.push(...next.children.values());
  }
  return sum;
}

export interface OffsetCost {
  gas: number;
  count: number;
}

/** Sums a recording, batch after batch in order. */
export class GasProfile {
  readonly root = node(-1);
  /** By function index, then by code offset. */
  readonly offsets = new Map<number, Map<number, OffsetCost>>();
  #stack: CallNode[] = [this.root];
  #last: { readonly node: CallNode; readonly cost: OffsetCost; readonly gas: number } | undefined;
  #steps = 0;

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  feed(columns: StepColumns): void {
    for (let i = 0; i < columns.count; i += 1) {
      const fn = columns.function[i] ?? 0;
      const offset = columns.offset[i] ?? 0;
      const depth = (columns.depth[i] ?? 0) + 1;
      const gas = Number(columns.gas[i] ?? 0n);
      this.#pay(gas);
      const stack = this.#stack;
      // A call adds one level; whatever is deeper has returned. Two calls in a row at one depth have their caller's step between them.
      if (stack.length > depth + 1) stack.length = depth + 1;
      let top = stack[depth];
      if (top === undefined || top.fn !== fn) {
        stack.length = Math.min(stack.length, depth);
        const caller = stack[stack.length - 1] ?? this.root;
        top = caller.children.get(fn);
        if (top === undefined) {
          top = node(fn);
          caller.children.set(fn, top);
        }
        top.calls += 1;
        stack.push(top);
      }
      top.steps += 1;
      let byOffset = this.offsets.get(fn);
      if (byOffset === undefined) {
        byOffset = new Map();
        this.offsets.set(fn, byOffset);
      }
      let cost = byOffset.get(offset);
      if (cost === undefined) {
        cost = { gas: 0, count: 0 };
        byOffset.set(offset, cost);
      }
      cost.count += 1;
      this.#last = { node: top, cost, gas };
      this.#steps += 1;
    }
  }

  /** `gas` is what the whole recording used: it closes the last step. */
  finish(gas: bigint): void {
    this.#pay(Number(gas));
    this.#last = undefined;
  }

  #pay(gas: number): void {
    const last = this.#last;
    if (last === undefined) return;
    const paid = Math.max(0, gas - last.gas);
    last.node.self += paid;
    last.cost.gas += paid;
  }
}

export interface FunctionCost {
  readonly fn: number;
  readonly self: number;
  /** With callees; a recursive function counts once. */
  readonly total: number;
  readonly calls: number;
  readonly steps: number;
}

/** Costs by function, the most expensive first. */
export function byFunction(profile: GasProfile): readonly FunctionCost[] {
  const costs = new Map<number, { fn: number; self: number; total: number; calls: number; steps: number }>();
  const walk = (of: CallNode, open: Set<number>): number => {
    let sum = of.self;
    const outer = open.has(of.fn);
    if (!outer) open.add(of.fn);
    for (const child of of.children.values()) sum += walk(child, open);
    if (!outer) open.delete(of.fn);
    if (of.fn >= 0) {
      const cost = costs.get(of.fn) ?? { fn: of.fn, self: 0, total: 0, calls: 0, steps: 0 };
      cost.self += of.self;
      cost.calls += of.calls;
      cost.steps += of.steps;
      if (!outer) cost.total += sum;
      costs.set(of.fn, cost);
    }
    return sum;
  };
  // The machine's call depth bounds the recursion (1024).
  walk(profile.root, new Set());
  return [...costs.values()].sort((a, b) => b.self - a.self || a.fn - b.fn);
}

export interface BlockCost {
  readonly fn: number;
  /** Code offset of its first instruction. */
  readonly start: number;
  readonly gas: number;
  /** Times it was entered. */
  readonly count: number;
}

/** Costs by basic block, the most expensive first. `blocks` gives the code offsets where the blocks of a function start. */
export function byBlock(profile: GasProfile, blocks: (fn: number) => readonly number[]): readonly BlockCost[] {
  const costs: BlockCost[] = [];
  for (const [fn, offsets] of profile.offsets) {
    const starts = [...blocks(fn)].sort((a, b) => a - b);
    if (starts[0] !== 0) starts.unshift(0);
    const gas = starts.map(() => 0);
    for (const [offset, cost] of offsets) {
      let block = starts.findLastIndex((start) => start <= offset);
      if (block < 0) block = 0;
      gas[block] = (gas[block] ?? 0) + cost.gas;
    }
    starts.forEach((start, i) => {
      const count = offsets.get(start)?.count ?? 0;
      if (count > 0 || (gas[i] ?? 0) > 0) costs.push({ fn, start, gas: gas[i] ?? 0, count });
    });
  }
  return costs.sort((a, b) => b.gas - a.gas || a.fn - b.fn || a.start - b.start);
}

/** A box of a flame graph; `x` and `width` are parts of the whole. */
export interface FlameBox {
  readonly fn: number;
  readonly level: number;
  readonly x: number;
  readonly width: number;
  readonly gas: number;
  readonly self: number;
  readonly calls: number;
}

/** The call tree as boxes, widest first; boxes below `least` of the whole are left out. */
export function flame(profile: GasProfile, least = 0.001): readonly FlameBox[] {
  const totals = new Map<CallNode, number>();
  const measure = (of: CallNode): number => {
    let sum = of.self;
    for (const child of of.children.values()) sum += measure(child);
    totals.set(of, sum);
    return sum;
  };
  const whole = measure(profile.root) || 1;
  const boxes: FlameBox[] = [];
  const place = (of: CallNode, x: number, level: number): void => {
    let at = x;
    const sorted = [...of.children.values()].sort((a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0) || a.fn - b.fn);
    for (const child of sorted) {
      const gas = totals.get(child) ?? 0;
      const width = gas / whole;
      if (width < least) break;
      boxes.push({ fn: child.fn, level, x: at, width, gas, self: child.self, calls: child.calls });
      place(child, at, level + 1);
      at += width;
    }
  };
  place(profile.root, 0, 0);
  return boxes;
}

/** The profile as a file that speedscope opens. */
export function speedscope(profile: GasProfile, name: string, functionName: (fn: number) => string): string {
  const frames: { name: string }[] = [];
  const frameOf = new Map<number, number>();
  const samples: number[][] = [];
  const weights: number[] = [];
  const walk = (of: CallNode, path: readonly number[]): void => {
    let here = path;
    if (of.fn >= 0) {
      let frame = frameOf.get(of.fn);
      if (frame === undefined) {
        frame = frames.length;
        frameOf.set(of.fn, frame);
        frames.push({ name: functionName(of.fn) });
      }
      here = [...path, frame];
      if (of.self > 0) {
        samples.push(here as number[]);
        weights.push(of.self);
      }
    }
    for (const child of of.children.values()) walk(child, here);
  };
  walk(profile.root, []);
  const sum = weights.reduce((a, b) => a + b, 0);
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    exporter: 'monomove playground',
    activeProfileIndex: 0,
    shared: { frames },
    profiles: [{ type: 'sampled', name: 'gas', unit: 'none', startValue: 0, endValue: sum, samples, weights }],
  });
}
