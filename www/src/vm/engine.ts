/** The worker with the machine in it: started when it is needed, watched, ended and started anew when it hangs. */

import type { RemoteEngine } from 'monomove';

export type Spawn = () => Promise<RemoteEngine>;

/** The machine did not answer in time, or was stopped by the user: it is gone, and so is everything in it. */
export class EngineLost extends Error {
  override readonly name = 'EngineLost';
}

export interface EngineEvents {
  /** A request takes longer than a moment, or is over. */
  readonly busy: (what: string | undefined) => void;
}

/** A request that takes longer shows that it runs. */
const BUSY_AFTER_MS = 250;

export class EngineHost {
  readonly #spawn: Spawn;
  readonly #events: EngineEvents;
  readonly #patience: number;
  #engine: Promise<RemoteEngine> | undefined;
  #lose: ((reason: EngineLost) => void) | undefined;
  #lost: Promise<never> | undefined;

  /** `patience`: milliseconds after which a request is taken for a hang. */
  constructor(spawn: Spawn, events: EngineEvents, patience = 15_000) {
    this.#spawn = spawn;
    this.#events = events;
    this.#patience = patience;
  }

  /**
   * Does something with the engine under the watchdog: rejects with {@link EngineLost} if the worker hangs or dies; the next use starts a fresh one.
   */
  async use<T>(what: string, job: (engine: RemoteEngine) => Promise<T>): Promise<T> {
    const starting = this.#start();
    const lost = this.#lost;
    const busy = setTimeout(() => this.#events.busy(what), BUSY_AFTER_MS);
    const limit = setTimeout(
      () => this.stop(`The machine did not answer for ${this.#patience / 1000} s (${what}).`),
      this.#patience,
    );
    try {
      const work = starting.then(job);
      return await (lost === undefined ? work : Promise.race([work, lost]));
    } catch (error) {
      if (!isDead(error) || this.#engine !== starting) throw error;
      // A trap leaves an instance that answers nothing any more.
      const reason = `The machine broke: ${error instanceof Error ? error.message : String(error)}.`;
      this.stop(reason);
      throw new EngineLost(reason);
    } finally {
      clearTimeout(busy);
      clearTimeout(limit);
      this.#events.busy(undefined);
    }
  }

  /** Ends the worker at once; requests under way reject. */
  stop(reason: string): void {
    const engine = this.#engine;
    const lose = this.#lose;
    this.#engine = undefined;
    this.#lose = undefined;
    lose?.(new EngineLost(reason));
    engine?.then(
      (e) => e.terminate(reason),
      () => undefined,
    );
  }

  #start(): Promise<RemoteEngine> {
    if (this.#engine !== undefined) return this.#engine;
    const engine = this.#spawn();
    this.#engine = engine;
    this.#lost = new Promise<never>((_, reject) => {
      this.#lose = reject;
    });
    // Each use races against it; without one there is nobody to tell.
    this.#lost.catch(() => undefined);
    engine.then(
      (e) =>
        e.closed.then((reason) => {
          if (this.#engine === engine) this.stop(`The machine is gone: ${reason}`);
        }),
      () => {
        if (this.#engine === engine) this.#engine = undefined;
      },
    );
    return engine;
  }
}

/** Whether an error says that the instance or its worker is of no use any more. */
function isDead(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    (error.code === 'poisoned' || error.code === 'terminated')
  );
}
