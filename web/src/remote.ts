/** The page's side of a worker: requests in order, one at a time, with abort and hard stop. */

import { AbortedError, errorFrom, TerminatedError } from './errors.js';
import { ENGINE, type MadeObject, type ResponseMessage } from './protocol.js';
import type { BlockResult, CallRequest, ChainOptions, Published, StateEntry } from './types/chain.js';
import type { AssembleOptions, AssemblyResult } from './types/module.js';
import type { Outcome } from './types/outcome.js';
import type { SessionApi, SessionOptions, Stop } from './types/session.js';
import type { Address, TypedValue, TypeText, Value, ValueInput, ValueLimits } from './types/values.js';
import type {
  Abortable,
  RemoteChain,
  RemoteEngine,
  RemoteModule,
  RemoteSession,
  RemoteSnapshot,
  SpawnOptions,
  WorkerLike,
} from './types/worker.js';

type RemoteMethods = Exclude<
  keyof SessionApi,
  'outcome' | 'length' | 'end' | 'gasLimit' | 'position' | 'dispose' | typeof Symbol.dispose
>;

interface Waiting {
  readonly object: number;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly settled: () => void;
}

/** The events of a worker, of either kind. */
export interface WorkerEvents {
  readonly message: (message: ResponseMessage) => void;
  readonly failed: (reason: string) => void;
}

/** Requests to one worker. */
export class Connection {
  readonly #worker: WorkerLike;
  readonly #queue: Waiting[] = [];
  #running: Waiting | undefined;
  #nextId = 0;
  #terminated: string | undefined;
  #close: (reason: string) => void = () => {};
  readonly closed: Promise<string>;

  constructor(worker: WorkerLike, listen: (worker: WorkerLike, events: WorkerEvents) => void) {
    this.#worker = worker;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    listen(worker, {
      message: (message) => this.#answered(message),
      failed: (reason) => this.terminate(reason),
    });
  }

  get terminated(): boolean {
    return this.#terminated !== undefined;
  }

  /** Calls a method of an object in the worker. */
  request<T>(object: number, method: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#terminated !== undefined) {
        reject(new TerminatedError(`the worker was terminated: ${this.#terminated}`));
        return;
      }
      if (signal?.aborted) {
        reject(aborted(method, signal));
        return;
      }
      const onAbort = () => this.#abort(waiting);
      const settled = () => signal?.removeEventListener('abort', onAbort);
      const waiting: Waiting = { object, method, args, signal, resolve, reject, settled };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(waiting);
      this.#next();
    }) as Promise<T>;
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    this.#running = waiting;
    this.#nextId += 1;
    const { object, method, args } = waiting;
    try {
      this.#worker.postMessage({ id: this.#nextId, object, method, args });
    } catch (error) {
      // Something in the arguments cannot be cloned.
      this.#running = undefined;
      waiting.settled();
      waiting.reject(error instanceof Error ? error : new Error(String(error)));
      this.#next();
    }
  }

  #answered(message: ResponseMessage): void {
    const running = this.#running;
    if (running === undefined || message.id !== this.#nextId) return;
    this.#running = undefined;
    running.settled();
    if ('error' in message) running.reject(errorFrom(message.error));
    else running.resolve(message.value);
    this.#next();
  }

  #abort(waiting: Waiting): void {
    const at = this.#queue.indexOf(waiting);
    if (at >= 0) this.#queue.splice(at, 1);
    else if (this.#running !== waiting) return;
    waiting.settled();
    waiting.reject(aborted(waiting.method, waiting.signal));
    if (at < 0) {
      this.#running = undefined;
      this.terminate(`${waiting.method} was aborted while it ran`);
    }
  }

  /** Ends the worker; whatever waits is rejected. */
  terminate(reason: string): void {
    if (this.#terminated !== undefined) return;
    this.#terminated = reason;
    this.#worker.terminate();
    const waiting = this.#running ? [this.#running, ...this.#queue.splice(0)] : this.#queue.splice(0);
    this.#running = undefined;
    for (const one of waiting) {
      one.settled();
      one.reject(new TerminatedError(`the worker was terminated: ${reason}`));
    }
    this.#close(reason);
  }
}

function aborted(method: string, signal: AbortSignal | undefined): AbortedError {
  return new AbortedError(`${method} was aborted`, { cause: signal?.reason });
}

/** Options without the signal, which cannot be cloned. */
function split<T extends object>(options: (T & Abortable) | undefined): [Omit<T, 'signal'>, AbortSignal | undefined] {
  const { signal, ...rest } = options ?? ({} as T & Abortable);
  return [rest as Omit<T, 'signal'>, signal];
}

class Remote {
  readonly connection: Connection;
  readonly object: number;

  constructor(connection: Connection, object: number) {
    this.connection = connection;
    this.object = object;
  }

  call<T>(method: string, args: readonly unknown[], signal: AbortSignal | undefined): Promise<T> {
    return this.connection.request<T>(this.object, method, args, signal);
  }

  async dispose(): Promise<void> {
    if (!this.connection.terminated) await this.call('dispose', [], undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

class SavedState extends Remote implements RemoteSnapshot {
  readonly size: number;

  constructor(connection: Connection, made: MadeObject) {
    super(connection, made.object);
    this.size = Number(made.fixed.size);
  }
}

/** Methods of a session that take these many arguments before the options. */
const SESSION_METHODS = {
  step: 1,
  stepBack: 0,
  stepOver: 1,
  stepOut: 1,
  runUntil: 2,
  seek: 1,
  prefetch: 0,
  readSteps: 2,
  depthProfile: 1,
  eventsOf: 1,
  functions: 0,
  state: 1,
  frame: 2,
  frameBytes: 1,
  heap: 2,
  object: 2,
  bytes: 2,
  globals: 1,
  events: 0,
  collections: 0,
  types: 0,
  lowering: 1,
} as const satisfies Record<RemoteMethods, number>;

function isStop(value: unknown): value is Stop {
  return typeof value === 'object' && value !== null && 'step' in value && 'reason' in value;
}

/** A session in the worker: its methods are made from {@link SESSION_METHODS}. */
function remoteSession(connection: Connection, made: MadeObject): RemoteSession {
  const remote = new Remote(connection, made.object);
  let position = 0;
  const methods = Object.entries(SESSION_METHODS).map(([name, count]) => {
    const method = async (...args: readonly unknown[]): Promise<unknown> => {
      const options = args[count] as Abortable | undefined;
      const answer = await remote.call(name, args.slice(0, count), options?.signal);
      if (isStop(answer)) position = answer.step;
      return answer;
    };
    return [name, method] as const;
  });
  const session = {
    ...made.fixed,
    ...Object.fromEntries(methods),
    get position() {
      return position;
    },
    dispose: () => remote.dispose(),
    [Symbol.asyncDispose]: () => remote.dispose(),
  };
  return session as unknown as RemoteSession;
}

class ChainInWorker extends Remote implements RemoteChain {
  publish(modules: Uint8Array | readonly Uint8Array[], options?: Abortable): Promise<readonly Published[]> {
    const [rest, signal] = split(options);
    return this.call('publish', [modules, rest], signal);
  }

  run(request: CallRequest, options?: Abortable): Promise<Outcome> {
    const [rest, signal] = split(options);
    return this.call('run', [request, rest], signal);
  }

  view(request: CallRequest, options?: Abortable): Promise<readonly TypedValue[]> {
    return this.call('view', [request], options?.signal);
  }

  executeBlock(requests: readonly CallRequest[], options?: Abortable): Promise<BlockResult> {
    const [rest, signal] = split(options);
    return this.call('executeBlock', [requests, rest], signal);
  }

  getResource(address: Address, type: TypeText, options?: Abortable): Promise<TypedValue | undefined> {
    return this.call('getResource', [address, type], options?.signal);
  }

  getTableItem(
    handle: Address,
    keyType: TypeText,
    key: ValueInput | { readonly bcs: Uint8Array },
    valueType: TypeText,
    options?: Abortable,
  ): Promise<TypedValue | undefined> {
    return this.call('getTableItem', [handle, keyType, key, valueType], options?.signal);
  }

  getModule(id: string, options?: Abortable): Promise<Uint8Array | undefined> {
    return this.call('getModule', [id], options?.signal);
  }

  modules(options?: Abortable): Promise<readonly string[]> {
    return this.call('modules', [], options?.signal);
  }

  entries(options?: { readonly modules?: boolean } & Abortable): Promise<readonly StateEntry[]> {
    const [rest, signal] = split(options);
    return this.call('entries', [rest], signal);
  }

  fund(address: Address, amount: bigint, options?: Abortable): Promise<void> {
    return this.call('fund', [address, amount], options?.signal);
  }

  balance(address: Address, options?: Abortable): Promise<bigint> {
    return this.call('balance', [address], options?.signal);
  }

  async snapshot(options?: Abortable): Promise<RemoteSnapshot> {
    return new SavedState(this.connection, await this.call<MadeObject>('snapshot', [], options?.signal));
  }

  restore(snapshot: RemoteSnapshot, options?: Abortable): Promise<void> {
    const object = snapshot instanceof SavedState ? snapshot.object : -1;
    return this.call('restore', [{ $object: object }], options?.signal);
  }

  decodeValue(type: TypeText, bcs: Uint8Array, limits?: ValueLimits, options?: Abortable): Promise<Value> {
    return this.call('decodeValue', [type, bcs, limits], options?.signal);
  }

  encodeValue(type: TypeText, value: ValueInput, options?: Abortable): Promise<Uint8Array> {
    return this.call('encodeValue', [type, value], options?.signal);
  }

  async session(request: CallRequest, options?: SessionOptions & Abortable): Promise<RemoteSession> {
    const [rest, signal] = split<SessionOptions>(options);
    return remoteSession(this.connection, await this.call<MadeObject>('session', [request, rest], signal));
  }
}

class EngineInWorker implements RemoteEngine {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get terminated(): boolean {
    return this.#connection.terminated;
  }

  get closed(): Promise<string> {
    return this.#connection.closed;
  }

  async createChain(options?: ChainOptions & Abortable): Promise<RemoteChain> {
    const [rest, signal] = split<ChainOptions>(options);
    const made = await this.#connection.request<MadeObject>(ENGINE, 'createChain', [rest], signal);
    return new ChainInWorker(this.#connection, made.object);
  }

  decode(bytes: Uint8Array, options?: Abortable): Promise<RemoteModule> {
    return this.#connection.request(ENGINE, 'decode', [bytes], options?.signal);
  }

  assemble(source: string, options?: AssembleOptions & Abortable): Promise<AssemblyResult> {
    const [rest, signal] = split<AssembleOptions>(options);
    return this.#connection.request(ENGINE, 'assemble', [source, rest], signal);
  }

  terminate(reason = 'terminate() was called'): void {
    this.#connection.terminate(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate('disposed');
  }
}

/** Connects to a worker that serves, and has it load the wasm. */
export async function connect(
  worker: WorkerLike,
  listen: (worker: WorkerLike, events: WorkerEvents) => void,
  options: SpawnOptions,
): Promise<RemoteEngine> {
  const connection = new Connection(worker, listen);
  const wasm = options.wasm instanceof URL ? options.wasm.href : options.wasm;
  try {
    await connection.request(ENGINE, 'init', [wasm], options.signal);
  } catch (error) {
    connection.terminate('the engine did not start');
    throw error;
  }
  return new EngineInWorker(connection);
}
