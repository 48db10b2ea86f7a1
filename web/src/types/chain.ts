/** A chain in memory. */

import type { Outcome } from './outcome.js';
import type { SessionApi, SessionOptions } from './session.js';
import type { Address, Argument, TypedValue, TypeText, Value, ValueInput, ValueLimits } from './values.js';

/** Limits of the machine. */
export interface ChainLimits {
  /** Internal gas of one call, unless the call says otherwise. Default 20 000 000 × 10⁶. */
  readonly gas?: bigint;
  /** Bytes of the heap of one call. Default 64 MiB. */
  readonly heapBytes?: number;
  /** Bytes of the frame stack. Default 4 MiB. */
  readonly stackBytes?: number;
  /** Callers on the call stack. Default 1024. */
  readonly callDepth?: number;
}

export interface ChainOptions {
  /** Publish MonoMove's own `std` and framework at `0x1`, and run genesis. Default true. `fund` and most programs need it. */
  readonly framework?: boolean;
  /** Chain id that genesis writes. Default 4. */
  readonly chainId?: number;
  /** Clock time that genesis writes, in microseconds since the Unix epoch. Default 0: runs are reproducible. */
  readonly timeMicros?: bigint;
  /** Check types, locals and references while running: for code that no verifier has seen. Results are the same. Default false: it is slow. */
  readonly runtimeChecks?: boolean;
  readonly limits?: ChainLimits;
  /** Entries of the gas schedule that differ from the defaults, by their on-chain keys. */
  readonly gasSchedule?: Readonly<Record<string, bigint>>;
}

/** One call. */
export interface CallRequest {
  /** `0x1::module::function`. */
  readonly function: string;
  readonly typeArguments?: readonly TypeText[];
  /** Arguments without the leading signers. */
  readonly args?: readonly Argument[];
  /** Values of the leading `signer` or `&signer` parameters. */
  readonly signers?: readonly Address[];
  /** Internal gas it may use. */
  readonly gasLimit?: bigint;
  /** Only `entry` functions may be named, as in a transaction. Default false. */
  readonly entryOnly?: boolean;
  /** Hash of the transaction, 32 bytes: the seed of table handles. Default: made from the number of calls so far. */
  readonly transactionHash?: Uint8Array;
}

export interface RunOptions {
  /** Apply the changes of calls that return. Default true. */
  readonly commit?: boolean;
}

export interface PublishOptions {
  /** The account that publishes: all modules must be at its address. Default: the address of the first module. */
  readonly sender?: Address;
  /** Verify the modules, link them, and check upgrades. Default true; without it, run them with `runtimeChecks`. */
  readonly verify?: boolean;
  /** What may take the place of a module. Default `compatible`. */
  readonly policy?: 'arbitrary' | 'compatible' | 'immutable';
  /** Run `init_module` of modules that are new. Default true. */
  readonly init?: boolean;
}

export interface Published {
  /** `0x1::m`. */
  readonly id: string;
  /** Whether it took the place of an older version. */
  readonly replaced: boolean;
}

export interface BlockResult {
  readonly transactions: readonly Outcome[];
}

/** A saved state. It costs nothing but the values that change afterwards. */
export interface Snapshot extends Disposable {
  /** Number of state values. */
  readonly size: number;
}

/** A value of the state. */
export interface StateEntry {
  /** State key as text. */
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** A chain in memory, of which this code is the only client. Nothing is asynchronous; free it with `using` or `dispose()`. */
export interface ChainApi extends Disposable {
  /** Publishes a bundle of modules, all or none. Throws `PublishError` if it is refused. */
  publish(modules: Uint8Array | readonly Uint8Array[], options?: PublishOptions): readonly Published[];
  /** Runs a call as a transaction of its own, and applies its changes if it returns. */
  run(request: CallRequest, options?: RunOptions): Outcome;
  /** Runs a call without applying anything and returns its values; throws `MoveFailure` if it does not return. */
  view(request: CallRequest): readonly TypedValue[];
  /** Runs calls one after the other, each on the changes of those before it. */
  executeBlock(requests: readonly CallRequest[], options?: RunOptions): BlockResult;
  /** A resource; `undefined` if there is none. */
  getResource(address: Address, type: TypeText): TypedValue | undefined;
  /** An item of a table; `undefined` if there is none. */
  getTableItem(
    handle: Address,
    keyType: TypeText,
    key: ValueInput | { readonly bcs: Uint8Array },
    valueType: TypeText,
  ): TypedValue | undefined;
  /** The bytes of a module, `0x1::m`; `undefined` if there is none. */
  getModule(id: string): Uint8Array | undefined;
  /** Ids of all modules, in order. */
  modules(): readonly string[];
  /** All values of the state, in the order of their keys; modules left out unless `modules`. */
  entries(options?: { readonly modules?: boolean }): readonly StateEntry[];
  /** Mints native coins to an account, which is created if missing (needs the framework). */
  fund(address: Address, amount: bigint): void;
  /** Balance of native coins. */
  balance(address: Address): bigint;
  /** Saves the state. */
  snapshot(): Snapshot;
  /** Goes back to a saved state, which stays valid. */
  restore(snapshot: Snapshot): void;
  /** BCS as a value, with the structs of all modules on the chain. */
  decodeValue(type: TypeText, bcs: Uint8Array, limits?: ValueLimits): Value;
  /** A value as BCS. */
  encodeValue(type: TypeText, value: ValueInput): Uint8Array;
  /** Records a call for stepping, on the state as it is now. Nothing is applied to the chain. */
  session(request: CallRequest, options?: SessionOptions): SessionApi;
  /** Frees its memory. Using it afterwards throws `DisposedError`. */
  dispose(): void;
}
