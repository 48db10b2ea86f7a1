/** The one wasm instance: loading, entering it, and what becomes of it after a trap. */

import initBindings, * as bindings from './bindings/monomove.js';
import { errorFrom, isErrorData, LoadError, NotInitializedError, PoisonedError } from './errors.js';
import type { Fault, FaultKind } from './types/outcome.js';

/** What `init` accepts: where the wasm is, or the wasm. */
export type InitInput = URL | string | Response | ArrayBuffer | ArrayBufferView<ArrayBuffer> | WebAssembly.Module;

type Given = InitInput | PromiseLike<InitInput>;

let loading: Promise<void> | undefined;
let ready = false;
/** Counts instances: an object of an earlier one is dead. */
let generation = 0;
let poison: PoisonedError | undefined;

/** Compiles what was given. `load` fetches or reads a URL. */
async function compile(given: Given, load: (url: URL | string) => Promise<InitInput>): Promise<WebAssembly.Module> {
  const input = await given;
  if (input instanceof WebAssembly.Module) return input;
  if (input instanceof ArrayBuffer || ArrayBuffer.isView(input)) return WebAssembly.compile(input);
  if (typeof input === 'string' || input instanceof URL) return compile(await load(input), load);
  const response = input;
  if (!response.ok) throw new LoadError(`${response.url}: status ${response.status}`);
  const typed = response.headers.get('content-type')?.startsWith('application/wasm') ?? false;
  if (typed && typeof WebAssembly.compileStreaming === 'function') return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** Loads the wasm once. A failure may be tried again. */
export function initialize(input: Given, load: (url: URL | string) => Promise<InitInput>): Promise<void> {
  loading ??= compile(input, load)
    .then((module) => initBindings({ module_or_path: module }))
    .then(() => {
      ready = true;
    })
    .catch((error: unknown) => {
      loading = undefined;
      if (error instanceof LoadError) throw error;
      throw new LoadError(`cannot load the wasm: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    });
  return loading;
}

/** Whether `init` has resolved and the instance is sound. */
export function isReady(): boolean {
  return ready && poison === undefined;
}

/** The error of the trap that poisoned the instance, if it had one. */
export function poisonedBy(): PoisonedError | undefined {
  return poison;
}

/**
 * A fresh instance after a trap. Objects of the poisoned one stay dead. Does nothing to a sound instance.
 */
export function reset(): void {
  if (!ready) throw new NotInitializedError();
  if (poison === undefined) return;
  bindings.__wbg_reset_state();
  generation += 1;
  poison = undefined;
}

function kindOf(error: unknown): FaultKind | undefined {
  if (typeof error === 'object' && error !== null && 'monomovePanic' in error) return 'panic';
  if (error instanceof RangeError) return 'stack';
  if (error instanceof WebAssembly.RuntimeError) {
    if (/stack|recursion/i.test(error.message)) return 'stack';
    return /allocat|grow/i.test(error.message) ? 'memory' : 'trap';
  }
  return undefined;
}

function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'monomovePanic' in error) return String(error.monomovePanic);
  return error instanceof Error ? error.message : String(error);
}

/** The number of the present instance. */
export function instanceNumber(): number {
  return generation;
}

/** Runs `work` on the instance that `owner` belongs to. A trap poisons it. */
export function enter<T>(owner: number, work: (engine: typeof bindings) => T): T {
  if (!ready) throw new NotInitializedError();
  if (poison !== undefined) throw new PoisonedError(poison.kind, poison.message, { cause: poison });
  if (owner !== generation) throw new PoisonedError('trap', 'the instance that this belongs to had a trap');
  try {
    return work(bindings);
  } catch (error) {
    if (isErrorData(error)) throw errorFrom(error);
    const kind = kindOf(error);
    if (kind === undefined) throw error;
    poison = new PoisonedError(kind, `the engine broke (${kind}): ${messageOf(error)}`, { cause: error });
    throw poison;
  }
}

/** As {@link enter}; a trap in `work` is an outcome. */
export function enterForOutcome<T>(owner: number, work: (engine: typeof bindings) => T): T | Fault {
  const before = poison;
  try {
    return enter(owner, work);
  } catch (error) {
    if (before === undefined && error === poison && poison !== undefined) {
      return { kind: 'fault', success: false, fault: { kind: poison.kind, message: messageOf(poison.cause) } };
    }
    throw error;
  }
}
