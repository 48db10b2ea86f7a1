/** A chain in memory. */

import type { RawChain, RawSnapshot } from './bindings/monomove.js';
import { enterForOutcome } from './engine.js';
import { InvalidArgumentError } from './errors.js';
import { Handle } from './handle.js';
import { Session } from './session.js';
import type {
  BlockResult,
  CallRequest,
  ChainApi,
  ChainOptions,
  Published,
  PublishOptions,
  RunOptions,
  Snapshot,
  StateEntry,
} from './types/chain.js';
import type { Fault, Outcome } from './types/outcome.js';
import type { SessionOptions } from './types/session.js';
import type { Address, TypedValue, TypeText, Value, ValueInput, ValueLimits } from './types/values.js';

class SavedState implements Snapshot {
  readonly handle: Handle<RawSnapshot>;
  readonly size: number;

  constructor(handle: Handle<RawSnapshot>) {
    this.handle = handle;
    this.size = handle.with((raw) => raw.size);
  }

  [Symbol.dispose](): void {
    this.handle.dispose();
  }
}

function isFault(answer: object): answer is Fault {
  return 'kind' in answer && answer.kind === 'fault';
}

/** A chain in memory, of which this code is the only client. */
export class Chain implements ChainApi {
  readonly #handle: Handle<RawChain>;

  constructor(options: ChainOptions = {}) {
    this.#handle = new Handle('chain', (engine) => new engine.RawChain(options));
  }

  publish(modules: Uint8Array | readonly Uint8Array[], options: PublishOptions = {}): readonly Published[] {
    return this.#handle.with((raw) => raw.publish(modules, options));
  }

  run(request: CallRequest, options: RunOptions = {}): Outcome {
    const raw = this.#handle.raw;
    return enterForOutcome(this.#handle.instance, () => raw.run(request, options.commit ?? true) as Outcome);
  }

  view(request: CallRequest): readonly TypedValue[] {
    return this.#handle.with((raw) => raw.view(request));
  }

  executeBlock(requests: readonly CallRequest[], options: RunOptions = {}): BlockResult {
    const raw = this.#handle.raw;
    const commit = options.commit ?? true;
    const answer = enterForOutcome(
      this.#handle.instance,
      () => raw.executeBlock(requests, commit) as readonly Outcome[],
    );
    return { transactions: isFault(answer) ? [answer] : answer };
  }

  getResource(address: Address, type: TypeText): TypedValue | undefined {
    return this.#handle.with((raw) => raw.resource(address, type)) ?? undefined;
  }

  getTableItem(
    handle: Address,
    keyType: TypeText,
    key: ValueInput | { readonly bcs: Uint8Array },
    valueType: TypeText,
  ): TypedValue | undefined {
    const encoded = isEncoded(key) ? key.bcs : this.encodeValue(keyType, key);
    return this.#handle.with((raw) => raw.tableItem(handle, encoded, valueType)) ?? undefined;
  }

  getModule(id: string): Uint8Array | undefined {
    return this.#handle.with((raw) => raw.module(id));
  }

  modules(): readonly string[] {
    return this.#handle.with((raw) => raw.modules());
  }

  entries(options: { readonly modules?: boolean } = {}): readonly StateEntry[] {
    return this.#handle.with((raw) => raw.entries(options.modules ?? false));
  }

  fund(address: Address, amount: bigint): void {
    this.#handle.with((raw) => raw.fund(address, u64(amount, 'amount')));
  }

  balance(address: Address): bigint {
    return this.#handle.with((raw) => raw.balance(address));
  }

  snapshot(): Snapshot {
    return new SavedState(new Handle('snapshot', () => this.#handle.raw.snapshot()));
  }

  restore(snapshot: Snapshot): void {
    if (!(snapshot instanceof SavedState)) throw new InvalidArgumentError('this is not a snapshot of a chain');
    const saved = snapshot.handle.raw;
    this.#handle.with((raw) => raw.restore(saved));
  }

  decodeValue(type: TypeText, bcs: Uint8Array, limits: ValueLimits = {}): Value {
    return this.#handle.with((raw) => raw.decodeValue(type, bcs, limits));
  }

  encodeValue(type: TypeText, value: ValueInput): Uint8Array {
    return this.#handle.with((raw) => raw.encodeValue(type, value));
  }

  session(request: CallRequest, options?: SessionOptions): Session {
    return new Session(this.#handle, request, options);
  }

  dispose(): void {
    this.#handle.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function isEncoded(key: ValueInput | { readonly bcs: Uint8Array }): key is { readonly bcs: Uint8Array } {
  return typeof key === 'object' && key !== null && 'bcs' in key && key.bcs instanceof Uint8Array;
}

function u64(value: bigint, what: string): bigint {
  if (typeof value !== 'bigint' || value < 0n || value >= 1n << 64n) {
    throw new InvalidArgumentError(`${what}: expected a bigint from 0 to 2^64 - 1`);
  }
  return value;
}
