/** The columns of a recording, read in chunks and kept for a while: nothing is ever made per step. */

import type { StepColumns } from 'monomove';

export const CHUNK = 4096;
const KEPT = 64;

/** What a row needs. */
export interface StepRow {
  readonly step: number;
  readonly fn: number;
  readonly offset: number;
  readonly depth: number;
  readonly gas: bigint;
}

export type ReadSteps = (from: number, count: number) => Promise<StepColumns>;

export class StepCache {
  readonly length: number;
  readonly #read: ReadSteps;
  readonly #chunks = new Map<number, StepColumns>();
  readonly #pending = new Map<number, Promise<StepColumns>>();

  constructor(length: number, read: ReadSteps) {
    this.length = length;
    this.#read = read;
  }

  /** A row, if its chunk is there. */
  peek(step: number): StepRow | undefined {
    const index = Math.floor(step / CHUNK);
    const chunk = this.#chunks.get(index);
    return chunk === undefined ? undefined : rowOf(chunk, step);
  }

  /** The chunk of a step. */
  async chunk(step: number): Promise<StepColumns> {
    const index = Math.floor(step / CHUNK);
    const known = this.#chunks.get(index);
    if (known !== undefined) {
      // The order of a map is that of insertion: what was used last is dropped last.
      this.#chunks.delete(index);
      this.#chunks.set(index, known);
      return known;
    }
    const pending = this.#pending.get(index);
    if (pending !== undefined) return pending;
    const from = index * CHUNK;
    const reading = this.#read(from, Math.min(CHUNK, this.length - from)).then(
      (columns) => {
        this.#pending.delete(index);
        this.#chunks.set(index, columns);
        if (this.#chunks.size > KEPT) {
          const oldest = this.#chunks.keys().next();
          if (oldest.done !== true) this.#chunks.delete(oldest.value);
        }
        return columns;
      },
      (error: unknown) => {
        this.#pending.delete(index);
        throw error;
      },
    );
    this.#pending.set(index, reading);
    return reading;
  }

  /** Whether all rows of a range are there. */
  has(from: number, count: number): boolean {
    for (let index = Math.floor(from / CHUNK); index * CHUNK < from + count; index += 1) {
      if (!this.#chunks.has(index)) return false;
    }
    return true;
  }

  /**
   * The nearest step after (or before) `from` that `matches`, or -1. Nothing is kept of what it passes; `stop` is asked once a chunk.
   */
  async find(
    from: number,
    direction: 1 | -1,
    matches: (fn: number, offset: number) => boolean,
    stop: () => boolean = () => false,
  ): Promise<number> {
    let step = from + direction;
    while (step >= 0 && step < this.length && !stop()) {
      const columns = await this.chunk(step);
      const end = direction > 0 ? columns.from + columns.count : columns.from - 1;
      for (; step !== end; step += direction) {
        const i = step - columns.from;
        if (matches(columns.function[i] ?? 0, columns.offset[i] ?? 0)) return step;
      }
    }
    return -1;
  }
}

function rowOf(chunk: StepColumns, step: number): StepRow {
  const i = step - chunk.from;
  return {
    step,
    fn: chunk.function[i] ?? 0,
    offset: chunk.offset[i] ?? 0,
    depth: chunk.depth[i] ?? 0,
    gas: chunk.gas[i] ?? 0n,
  };
}
