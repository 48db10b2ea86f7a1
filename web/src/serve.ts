/** The worker's side: keeps the objects and answers requests, one after the other. */

import { Chain } from './chain.js';
import type { InitInput } from './engine.js';
import { errorData, InvalidArgumentError } from './errors.js';
import { Module } from './module.js';
import { ENGINE, isReference, type MadeObject, type RequestMessage, type ResponseMessage } from './protocol.js';
import { Session } from './session.js';
import type { ChainOptions, Snapshot } from './types/chain.js';
import type { AssembleOptions, AssemblyResult } from './types/module.js';
import type { RemoteModule } from './types/worker.js';

/** Silence after which a worker prepares for the next movement, in milliseconds. */
const IDLE_MS = 4;

type Method = (...args: readonly unknown[]) => unknown;

/** What a worker is told to do besides calls of objects. */
class Engine {
  readonly #init: (input?: InitInput) => Promise<void>;

  constructor(init: (input?: InitInput) => Promise<void>) {
    this.#init = init;
  }

  init(input?: InitInput): Promise<void> {
    return this.#init(input);
  }

  createChain(options?: ChainOptions): Chain {
    return new Chain(options);
  }

  decode(bytes: Uint8Array): RemoteModule {
    const module = Module.decode(bytes);
    return {
      bytes,
      kind: module.kind,
      id: module.id,
      abi: module.abi,
      listing: module.disassemble(),
      assembly: module.toAssembly(),
      verdict: module.verify(),
    };
  }

  assemble(source: string, options?: AssembleOptions): AssemblyResult {
    return Module.assemble(source, options);
  }
}

function isSnapshot(value: object): value is Snapshot {
  return 'size' in value && Symbol.dispose in value;
}

/** Answers the requests that `receive` is handed, through `send`. */
export function serve(
  init: (input?: InitInput) => Promise<void>,
  send: (response: ResponseMessage) => void,
): (request: RequestMessage) => Promise<void> {
  const objects = new Map<number, object>([[ENGINE, new Engine(init)]]);
  let next = ENGINE + 1;
  let idle: ReturnType<typeof setTimeout> | undefined;

  function keep(object: object, fixed: Readonly<Record<string, unknown>>): MadeObject {
    const number = next;
    next += 1;
    objects.set(number, object);
    return { object: number, fixed };
  }

  function find(number: number): object {
    const found = objects.get(number);
    if (found === undefined) throw new InvalidArgumentError('no such object in the worker');
    return found;
  }

  function answer(value: unknown): unknown {
    if (value instanceof Chain) return keep(value, {});
    if (value instanceof Session) {
      const { outcome, length, end, gasLimit } = value;
      return keep(value, { outcome, length, end, gasLimit });
    }
    if (typeof value === 'object' && value !== null && isSnapshot(value)) return keep(value, { size: value.size });
    return value;
  }

  function call(request: RequestMessage): unknown {
    const object = find(request.object);
    if (request.method === 'dispose') {
      objects.delete(request.object);
      if (Symbol.dispose in object) (object[Symbol.dispose] as () => void).call(object);
      return undefined;
    }
    const method: unknown = Reflect.get(object, request.method);
    if (typeof method !== 'function') throw new InvalidArgumentError(`no method ${request.method}`);
    const args = request.args.map((arg) => (isReference(arg) ? find(arg.$object) : arg));
    return (method as Method).apply(object, args);
  }

  /** Records around the position of a session as long as nothing is asked for. */
  function prepare(session: Session): void {
    clearTimeout(idle);
    idle = setTimeout(() => {
      try {
        if (session.prefetch()) prepare(session);
      } catch {
        // Disposed or broken: the next request says so.
      }
    }, IDLE_MS);
  }

  return async (request) => {
    clearTimeout(idle);
    try {
      const value = answer(await call(request));
      send({ id: request.id, value });
    } catch (error) {
      send({ id: request.id, error: errorData(error) });
    }
    const object = objects.get(request.object);
    if (object instanceof Session) prepare(object);
  };
}
