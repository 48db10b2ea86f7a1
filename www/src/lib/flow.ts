/** The control flow of a function: its basic blocks, the edges between them, and how often a recording went over each. */

import type { StepColumns } from 'monomove';

export interface Block {
  /** Code offset of its first instruction, and of its last one. */
  readonly start: number;
  readonly end: number;
  /** Text of the last instruction: how the block is left. */
  readonly exit: string;
}

export interface Edge {
  /** Indices of blocks. */
  readonly from: number;
  readonly to: number;
}

export interface Graph {
  readonly blocks: readonly Block[];
  readonly edges: readonly Edge[];
}

/** The graph of a function, from where its blocks start and the texts of its instructions. */
export function graphOf(starts: readonly number[], texts: ReadonlyMap<number, string>): Graph {
  const length = Math.max(-1, ...texts.keys()) + 1;
  const blocks = starts.map((start, i): Block => {
    const end = (starts[i + 1] ?? length) - 1;
    return { start, end, exit: texts.get(end) ?? '' };
  });
  const at = new Map(blocks.map((block, i) => [block.start, i]));
  const edges = blocks.flatMap((block, from): Edge[] => {
    const target = /^br(?:anch|_true|_false)\b.*\((\d+)\)/.exec(block.exit)?.[1];
    const falls = !/^(?:branch|ret|abort)/.test(block.exit);
    const to = [falls ? from + 1 : undefined, target === undefined ? undefined : at.get(Number(target))];
    return [...new Set(to)].flatMap((i) => (i === undefined || i >= blocks.length ? [] : [{ from, to: i }]));
  });
  return { blocks, edges };
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Counts blocks and edges of one function over a recording, batch after batch in order. */
export class FlowProfile {
  /** By index of the block. */
  readonly blocks = new Map<number, number>();
  /** By `from:to`. */
  readonly edges = new Map<string, number>();
  readonly #fn: number;
  readonly #at: ReadonlyMap<number, number>;
  /** By depth: the block that the frame is in. */
  readonly #in: (number | undefined)[] = [];
  #depth = -1;

  constructor(fn: number, graph: Graph) {
    this.#fn = fn;
    this.#at = new Map(graph.blocks.map((block, i) => [block.start, i]));
  }

  feed(columns: StepColumns): void {
    for (let i = 0; i < columns.count; i += 1) {
      const depth = columns.depth[i] ?? 0;
      // A new frame: two calls in a row at one depth have their caller's step between them.
      if (depth > this.#depth) this.#in[depth] = undefined;
      this.#depth = depth;
      if (columns.function[i] !== this.#fn) continue;
      const block = this.#at.get(columns.offset[i] ?? 0);
      if (block === undefined) continue;
      const last = this.#in[depth];
      count(this.blocks, block);
      if (last !== undefined) count(this.edges, `${last}:${block}`);
      this.#in[depth] = block;
    }
  }
}

/** An edge as an arc beside the list of blocks: the shorter it is, the nearer it runs. */
export interface Arc extends Edge {
  readonly lane: number;
}

/** Lanes for edges, so that none that run side by side share one. */
export function arcs(edges: readonly Edge[]): readonly Arc[] {
  const span = ({ from, to }: Edge): number => Math.abs(from - to);
  const lanes: Edge[][] = [];
  const apart = (a: Edge, b: Edge): boolean =>
    Math.max(a.from, a.to) <= Math.min(b.from, b.to) || Math.max(b.from, b.to) <= Math.min(a.from, a.to);
  return [...edges]
    .sort((a, b) => span(a) - span(b))
    .map((edge) => {
      let lane = lanes.findIndex((others) => others.every((other) => apart(edge, other)));
      if (lane < 0) lane = lanes.push([]) - 1;
      lanes[lane]?.push(edge);
      return { ...edge, lane };
    });
}
