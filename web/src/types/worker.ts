/** The same API in a worker, asynchronous. */

import type {
  BlockResult,
  CallRequest,
  ChainApi,
  ChainOptions,
  Published,
  PublishOptions,
  RunOptions,
} from './chain.js';
import type { AssembleOptions, AssemblyResult, Listing, ModuleAbi, Verdict } from './module.js';
import type { Outcome } from './outcome.js';
import type { SessionApi, SessionOptions } from './session.js';
import type { Address, TypedValue, TypeText, Value, ValueInput, ValueLimits } from './values.js';

/** Options of every request. */
export interface Abortable {
  /**
   * Gives a request up: its promise rejects with `AbortedError` at once. A request that has not begun is dropped; one that is running cannot
   * be interrupted, so the worker is terminated, and everything in it is gone.
   */
  readonly signal?: AbortSignal | undefined;
}

export interface SpawnOptions extends Abortable {
  /** Makes the worker, for bundlers that need to see it made. Default: the package's own worker script. */
  readonly worker?: () => WorkerLike;
  /** Where the wasm is, if the worker cannot find it beside its script. */
  readonly wasm?: URL | string | WebAssembly.Module | ArrayBuffer;
}

/** What is needed of a `Worker` of the browser or of `node:worker_threads`. */
export interface WorkerLike {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  terminate(): unknown;
}

/** A worker with an engine of its own. */
export interface RemoteEngine extends AsyncDisposable {
  /** Whether it was terminated. Its objects reject with `TerminatedError` then. */
  readonly terminated: boolean;
  /** Resolves when it was terminated, with the reason. */
  readonly closed: Promise<string>;
  /** A chain in the worker. */
  createChain(options?: ChainOptions & Abortable): Promise<RemoteChain>;
  /** See `Module`. */
  decode(bytes: Uint8Array, options?: Abortable): Promise<RemoteModule>;
  assemble(source: string, options?: AssembleOptions & Abortable): Promise<AssemblyResult>;
  /** The hard stop: ends the worker whatever it is doing. Requests that wait reject with `TerminatedError`. */
  terminate(reason?: string): void;
}

/** A decoded module: plain data, complete. */
export interface RemoteModule {
  readonly bytes: Uint8Array;
  readonly kind: 'module' | 'script';
  readonly id: string;
  readonly abi: ModuleAbi;
  readonly listing: Listing;
  readonly assembly: string;
  readonly verdict: Verdict;
}

/** A `Chain` in a worker. */
export interface RemoteChain extends AsyncDisposable {
  publish(
    modules: Uint8Array | readonly Uint8Array[],
    options?: PublishOptions & Abortable,
  ): Promise<readonly Published[]>;
  run(request: CallRequest, options?: RunOptions & Abortable): Promise<Outcome>;
  view(request: CallRequest, options?: Abortable): Promise<readonly TypedValue[]>;
  executeBlock(requests: readonly CallRequest[], options?: RunOptions & Abortable): Promise<BlockResult>;
  getResource(address: Address, type: TypeText, options?: Abortable): Promise<TypedValue | undefined>;
  getTableItem(
    handle: Address,
    keyType: TypeText,
    key: ValueInput | { readonly bcs: Uint8Array },
    valueType: TypeText,
    options?: Abortable,
  ): Promise<TypedValue | undefined>;
  getModule(id: string, options?: Abortable): Promise<Uint8Array | undefined>;
  modules(options?: Abortable): Promise<readonly string[]>;
  entries(options?: { readonly modules?: boolean } & Abortable): Promise<ReturnType<ChainApi['entries']>>;
  fund(address: Address, amount: bigint, options?: Abortable): Promise<void>;
  balance(address: Address, options?: Abortable): Promise<bigint>;
  snapshot(options?: Abortable): Promise<RemoteSnapshot>;
  restore(snapshot: RemoteSnapshot, options?: Abortable): Promise<void>;
  decodeValue(type: TypeText, bcs: Uint8Array, limits?: ValueLimits, options?: Abortable): Promise<Value>;
  encodeValue(type: TypeText, value: ValueInput, options?: Abortable): Promise<Uint8Array>;
  session(request: CallRequest, options?: SessionOptions & Abortable): Promise<RemoteSession>;
  dispose(): Promise<void>;
}

/** A saved state in a worker. */
export interface RemoteSnapshot extends AsyncDisposable {
  readonly size: number;
  dispose(): Promise<void>;
}

/** Methods of `T` as methods that return promises and take {@link Abortable} as one more argument. */
export type Remote<T, K extends keyof T> = {
  [M in K]: T[M] extends (...args: infer A) => infer R ? (...args: [...A, options?: Abortable]) => Promise<R> : never;
};

type Fixed = 'outcome' | 'length' | 'end' | 'gasLimit';

/**
 * A `Session` in a worker. What does not change is known at once; everything else is a promise. An optional argument before the
 * {@link Abortable} has to be given as `undefined` if it is left out.
 */
export type RemoteSession = Pick<SessionApi, Fixed> &
  Remote<SessionApi, Exclude<keyof SessionApi, Fixed | 'position' | 'dispose' | typeof Symbol.dispose>> &
  AsyncDisposable & {
    /** Position after the last movement whose promise was fulfilled. */
    readonly position: number;
    dispose(): Promise<void>;
  };
