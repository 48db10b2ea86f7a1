/**
 * A machine for unit tests of the debugger and nothing else: it answers like `monomove/worker` about one made-up recording. The playground
 * never contains it.
 */

import type {
  Collection,
  Condition,
  Direction,
  Lowering,
  ModuleAbi,
  RemoteChain,
  RemoteEngine,
  RemoteModule,
  RemoteSession,
  RemoteSnapshot,
  SessionFunction,
  SessionState,
  StepColumns,
  Stop,
} from 'monomove';

/** A step of the made-up recording. */
export interface Made {
  readonly fn: number;
  readonly offset: number;
  readonly depth: number;
}

/** `main` calls `leaf` `calls` times; three instructions each way. */
export function recordingOf(calls: number): readonly Made[] {
  const steps: Made[] = [];
  for (let i = 0; i < calls; i += 1) {
    steps.push({ fn: 0, offset: 0, depth: 0 }, { fn: 0, offset: 1, depth: 0 });
    steps.push({ fn: 1, offset: 0, depth: 1 }, { fn: 1, offset: 1, depth: 1 });
    steps.push({ fn: 0, offset: 2, depth: 0 });
  }
  return steps;
}

const GAS_PER_STEP = 10n;

export const FUNCTIONS: readonly SessionFunction[] = ['main', 'leaf'].map((name, index) => ({
  index,
  module: '0xcafe::m',
  name,
  definition: index,
  typeArguments: [],
  native: false,
  frameBytes: 16,
  blocks: [0],
}));

const ABI: ModuleAbi = {
  id: '0xcafe::m',
  address: '0xcafe',
  name: 'm',
  bytecodeVersion: 8,
  friends: [],
  dependencies: [],
  structs: [],
  functions: ['main', 'leaf'].map((name, index) => ({
    name,
    index,
    visibility: 'public',
    entry: false,
    native: false,
    typeParameters: [],
    parameters: ['u64'],
    returns: [],
    instructions: 3,
  })),
};

export interface DoubleOptions {
  readonly steps?: readonly Made[];
  /** The recording ends with an abort. */
  readonly aborts?: boolean;
  /** Requests of this name never answer. */
  readonly hangs?: string;
}

/** What was asked, in order. */
export class Double {
  readonly asked: string[] = [];
  readonly options: DoubleOptions;
  terminated = 0;

  constructor(options: DoubleOptions = {}) {
    this.options = options;
  }

  readonly spawn = async (): Promise<RemoteEngine> => {
    let closed: (reason: string) => void = () => undefined;
    const ask = <T>(what: string, answer: () => T): Promise<T> => {
      this.asked.push(what);
      return what === this.options.hangs ? new Promise<T>(() => undefined) : Promise.resolve().then(answer);
    };
    const session = () => new DoubleSession(this.options.steps ?? recordingOf(3), this.options.aborts === true, ask);
    const snapshot = { size: 0, dispose: async () => undefined } as unknown as RemoteSnapshot;
    const chain = {
      publish: () => ask('publish', () => []),
      fund: () => ask('fund', () => undefined),
      run: () => ask('run', () => ({ kind: 'kept', success: true, values: [] })),
      snapshot: () => ask('snapshot', () => snapshot),
      restore: () => ask('restore', () => undefined),
      getModule: () => ask('getModule', () => undefined),
      session: () => ask('session', () => session() as unknown as RemoteSession),
      dispose: async () => undefined,
    } as unknown as RemoteChain;
    return {
      terminated: false,
      closed: new Promise<string>((resolve) => {
        closed = resolve;
      }),
      createChain: () => ask('createChain', () => chain),
      decode: (bytes: Uint8Array) =>
        ask('decode', () => {
          if (bytes.length === 0) throw Object.assign(new Error('bad magic'), { code: 'format', problem: BAD_MAGIC });
          return { bytes, kind: 'module', id: ABI.id, abi: ABI, verdict: { ok: true } } as unknown as RemoteModule;
        }),
      assemble: () => ask('assemble', () => ({ ok: false, diagnostics: [] })),
      terminate: (reason = '') => {
        this.terminated += 1;
        closed(reason);
      },
    } as unknown as RemoteEngine;
  };
}

const BAD_MAGIC = { status: 'BAD_MAGIC', statusCode: 3003, message: 'no module', byte: 0 };

type Ask = <T>(what: string, answer: () => T) => Promise<T>;

class DoubleSession {
  readonly length: number;
  readonly end = 'complete';
  readonly gasLimit = 1_000_000n;
  readonly outcome: unknown;
  position = 0;
  readonly #steps: readonly Made[];
  readonly #ask: Ask;

  constructor(steps: readonly Made[], aborts: boolean, ask: Ask) {
    this.#steps = steps;
    this.#ask = ask;
    this.length = steps.length;
    const usage = { gasUsed: BigInt(steps.length) * GAS_PER_STEP, instructionGas: 0n, instructions: 0n };
    const failure = { status: 'ABORTED', statusCode: 4016, subStatus: 42n, location: {} };
    this.outcome = aborts
      ? { kind: 'kept', success: false, failure, ...usage }
      : { kind: 'kept', success: true, values: [], changes: [], events: [], ...usage };
  }

  #depth(step: number): number {
    return this.#steps[step]?.depth ?? -1;
  }

  #to(step: number, reason: Stop['reason'] = 'step'): Stop {
    this.position = Math.max(0, Math.min(this.length, step));
    const edge = this.position === this.length ? 'end' : this.position === 0 ? 'start' : reason;
    return { step: this.position, reason: reason === 'condition' ? reason : edge };
  }

  #scan(direction: Direction, holds: (step: number) => boolean): Stop {
    const by = direction === 'forward' ? 1 : -1;
    for (let step = this.position + by; step >= 0 && step < this.length; step += by) {
      if (holds(step)) return this.#to(step, 'condition');
    }
    return this.#to(by > 0 ? this.length : 0);
  }

  step(direction: Direction = 'forward'): Promise<Stop> {
    return this.#ask('step', () => this.#to(this.position + (direction === 'forward' ? 1 : -1)));
  }

  stepOver(direction: Direction = 'forward'): Promise<Stop> {
    const depth = this.#depth(this.position);
    return this.#ask('stepOver', () => this.#scan(direction, (step) => this.#depth(step) <= depth));
  }

  stepOut(direction: Direction = 'forward'): Promise<Stop> {
    const depth = this.#depth(this.position);
    return this.#ask('stepOut', () => this.#scan(direction, (step) => this.#depth(step) < depth));
  }

  seek(step: number): Promise<Stop> {
    return this.#ask('seek', () => this.#to(step));
  }

  runUntil(conditions: Condition | readonly Condition[] = [], direction: Direction = 'forward'): Promise<Stop> {
    const list = Array.isArray(conditions) ? (conditions as readonly Condition[]) : [conditions as Condition];
    return this.#ask('runUntil', () =>
      this.#scan(direction, (step) =>
        list.some((condition) => {
          if (condition.at !== 'instruction') return false;
          const at = this.#steps[step];
          const fn = FUNCTIONS[at?.fn ?? 0];
          return condition.function === `${fn?.module}::${fn?.name}` && (condition.offset ?? 0) === at?.offset;
        }),
      ),
    );
  }

  readSteps(from: number, count: number): Promise<StepColumns> {
    return this.#ask('readSteps', () => columnsOf(this.#steps.slice(from, from + count), from));
  }

  collections(): Promise<readonly Collection[]> {
    return this.#ask('collections', () => []);
  }

  prefetch(): Promise<boolean> {
    return this.#ask('prefetch', () => false);
  }

  depthProfile(points: number): Promise<Uint16Array> {
    return this.#ask('depthProfile', () => new Uint16Array(points));
  }

  functions(): Promise<readonly SessionFunction[]> {
    return this.#ask('functions', () => FUNCTIONS);
  }

  state(): Promise<SessionState> {
    return this.#ask('state', () => {
      const at = this.#steps[Math.min(this.position, this.length - 1)];
      const frames = Array.from({ length: (at?.depth ?? 0) + 1 }, (_, i) => ({
        function: i,
        offset: i === at?.depth ? at.offset : 1,
        address: 64 * i,
        locals: [],
        parameters: 0,
        operands: [],
      }));
      const gasUsed = BigInt(this.position) * GAS_PER_STEP;
      return { step: this.position, frames, gasUsed, gasLeft: this.gasLimit - gasUsed, heapBytes: 0, changes: [] };
    });
  }

  lowering(fn: number): Promise<Lowering> {
    return this.#ask('lowering', () => ({
      function: FUNCTIONS[fn]?.name ?? '',
      typeArguments: [],
      levels: [
        {
          name: 'bytecode',
          lines: ['LdU64 1', 'Add', 'Ret'].map((text, offset) => ({ text: `${offset}: ${text}`, offset })),
        },
      ],
    }));
  }

  dispose(): Promise<void> {
    return this.#ask('dispose', () => undefined);
  }
}

/** Steps as columns. */
export function columnsOf(steps: readonly Made[], from = 0): StepColumns {
  return {
    from,
    count: steps.length,
    function: Uint32Array.from(steps, (step) => step.fn),
    offset: Uint16Array.from(steps, (step) => step.offset),
    depth: Uint16Array.from(steps, (step) => step.depth),
    gas: BigUint64Array.from(steps, (_, i) => BigInt(from + i) * GAS_PER_STEP),
  };
}
