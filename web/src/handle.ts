/** Something that lives in wasm memory until it is disposed. */

import type * as bindings from './bindings/monomove.js';
import { enter, instanceNumber } from './engine.js';
import { DisposedError } from './errors.js';

/** The owner of a raw object. */
export class Handle<Raw extends { free(): void }> {
  readonly #what: string;
  readonly #instance = instanceNumber();
  #raw: Raw | undefined;

  constructor(what: string, make: (engine: typeof bindings) => Raw) {
    this.#what = what;
    this.#raw = enter(this.#instance, make);
  }

  /** Instance that it lives in. */
  get instance(): number {
    return this.#instance;
  }

  /** The raw object; throws if it was disposed. */
  get raw(): Raw {
    if (this.#raw === undefined) throw new DisposedError(this.#what);
    return this.#raw;
  }

  /** Runs `work` on the raw object. */
  with<T>(work: (raw: Raw, engine: typeof bindings) => T): T {
    const raw = this.raw;
    return enter(this.#instance, (engine) => work(raw, engine));
  }

  /** Frees it, once. One of a dead instance is gone anyway. */
  dispose(): void {
    const raw = this.#raw;
    this.#raw = undefined;
    if (raw !== undefined && this.#instance === instanceNumber()) raw.free();
  }
}
