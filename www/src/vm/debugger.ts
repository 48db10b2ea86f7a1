/** The debugger behind the screen: a program, its recording, a position in it. Views read its signals and call its actions. */

import type {
  AssemblyResult,
  Collection,
  Direction,
  FormatProblem,
  FunctionAbi,
  Lowering,
  Outcome,
  RemoteChain,
  RemoteEngine,
  RemoteModule,
  RemoteSession,
  RemoteSnapshot,
  SessionEnd,
  SessionFunction,
  SessionState,
  Stop,
  Verdict,
} from 'monomove';
import { type Accessor, batch, createSignal } from 'solid-js';
import { type BreakpointKey, condition } from './breakpoints';
import { defaultCall, type FieldProblem, prepare } from './call';
import { EngineHost, EngineLost, type Spawn } from './engine';
import { findFunction, type LoadedModule, loadModule, type ModuleSource } from './modules';
import { describeError, describeOutcome, describeProblem, problemOf } from './outcome';
import { type CallSpec, type Config, EMPTY_PROGRAM, type Program, type ProgramModule, splitFunction } from './program';
import { StepCache } from './steps';

export type Status =
  | { readonly kind: 'empty' }
  | { readonly kind: 'working'; readonly what: string }
  | { readonly kind: 'ready' }
  /** The program cannot be run. `module` is the index of the module that is to blame. */
  | {
      readonly kind: 'refused';
      readonly message: string;
      readonly module?: number;
      readonly problem?: FormatProblem;
      readonly fields?: readonly FieldProblem[];
    }
  /** The machine was ended. */
  | { readonly kind: 'stopped'; readonly message: string };

/** A recorded call. */
export interface Recording {
  /** Another one each time. */
  readonly id: number;
  readonly outcome: Outcome;
  readonly length: number;
  readonly end: SessionEnd;
  readonly gasLimit: bigint;
  readonly steps: StepCache;
  /** Call depth over the recording, evenly spaced. */
  readonly depths: Uint16Array;
  /** Collections of the heap. */
  readonly collections: readonly Collection[];
}

/** Where the debugger is: all of it changes at once. */
export interface Position {
  readonly step: number;
  readonly state: SessionState;
  readonly reason: Stop['reason'] | 'seek';
}

/** Movements of which one step at a time makes sense. */
export type Movement = 'into' | 'over' | 'out';

const LIMITS = { elements: 128, depth: 10 } as const;
const PROFILE_POINTS = 1200;
/** Movements that may wait: a held key must not run on after it is released. */
const WAITING = 2;

export type FrameworkSource = (moduleId: string) => Promise<ModuleSource | undefined>;

/** Problems of a call form, on the way out of a function. */
class Refused extends Error {
  readonly status: Extract<Status, { kind: 'refused' }>;

  constructor(status: Omit<Extract<Status, { kind: 'refused' }>, 'kind'>) {
    super(status.message);
    this.status = { kind: 'refused', ...status };
  }
}

interface OpenChain {
  readonly key: string;
  readonly engine: RemoteEngine;
  readonly chain: RemoteChain;
  readonly fresh: RemoteSnapshot;
}

export class Debugger {
  readonly program: Accessor<Program>;
  readonly status: Accessor<Status>;
  /** What the machine has been doing for more than a moment. */
  readonly busy: Accessor<string | undefined>;
  readonly modules: Accessor<readonly LoadedModule[]>;
  readonly recording: Accessor<Recording | undefined>;
  readonly position: Accessor<Position | undefined>;
  readonly functions: Accessor<readonly SessionFunction[]>;
  readonly breakpoints: Accessor<readonly BreakpointKey[]>;
  /** Frame that the panes show: 0 is the entry function. */
  readonly selectedFrame: Accessor<number>;

  readonly #setProgram: (program: Program) => void;
  readonly #setStatus: (status: Status) => void;
  readonly #setModules: (modules: readonly LoadedModule[]) => void;
  readonly #setRecording: (recording: Recording | undefined) => void;
  readonly #setPosition: (position: Position | undefined) => void;
  readonly #setFunctions: (functions: readonly SessionFunction[]) => void;
  readonly #setBreakpoints: (keys: readonly BreakpointKey[]) => void;
  readonly #setSelectedFrame: (frame: number) => void;
  readonly #cacheVersion: Accessor<number>;
  readonly #touchCache: () => void;

  readonly #host: EngineHost;
  readonly #frameworkSource: FrameworkSource;
  #chain: OpenChain | undefined;
  #session: RemoteSession | undefined;
  #lowerings = new Map<number, Lowering>();
  #sources = new Map<string, ModuleSource | undefined>();
  #foreign = new Map<string, RemoteModule | undefined>();
  #runs = 0;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** Ends with the recording under way, at first with the first one: a key that is pressed before counts. */
  #recorded: Promise<void>;
  #firstRecorded: () => void = () => undefined;
  #seekTarget: number | undefined;

  constructor(spawn: Spawn, frameworkSource: FrameworkSource = async () => undefined, patience?: number) {
    const [program, setProgram] = createSignal<Program>(EMPTY_PROGRAM);
    const [status, setStatus] = createSignal<Status>({ kind: 'empty' });
    const [busy, setBusy] = createSignal<string | undefined>();
    const [modules, setModules] = createSignal<readonly LoadedModule[]>([]);
    const [recording, setRecording] = createSignal<Recording | undefined>();
    const [position, setPosition] = createSignal<Position | undefined>();
    const [functions, setFunctions] = createSignal<readonly SessionFunction[]>([]);
    const [breakpoints, setBreakpoints] = createSignal<readonly BreakpointKey[]>([]);
    const [selectedFrame, setSelectedFrame] = createSignal(0);
    const [cacheVersion, setCacheVersion] = createSignal(0);
    this.program = program;
    this.status = status;
    this.busy = busy;
    this.modules = modules;
    this.recording = recording;
    this.position = position;
    this.functions = functions;
    this.breakpoints = breakpoints;
    this.selectedFrame = selectedFrame;
    this.#setProgram = setProgram;
    this.#setStatus = setStatus;
    this.#setModules = setModules;
    this.#setRecording = setRecording;
    this.#setPosition = setPosition;
    this.#setFunctions = setFunctions;
    this.#setBreakpoints = setBreakpoints;
    this.#setSelectedFrame = setSelectedFrame;
    this.#cacheVersion = cacheVersion;
    this.#touchCache = () => {
      setCacheVersion((version) => version + 1);
    };
    this.#host = new EngineHost(spawn, { busy: setBusy }, patience);
    this.#frameworkSource = frameworkSource;
    this.#recorded = new Promise((resolve) => {
      this.#firstRecorded = resolve;
    });
  }

  // ---- the program ----

  /** Starts the machine, so that it is there when the first program comes. */
  async warmUp(): Promise<void> {
    await this.#host.use('starting', async () => undefined).catch(() => undefined);
  }

  /** Takes a program, and records its call unless it has none. `step` is where to go then. */
  async open(
    program: Program,
    options: { readonly step?: number; readonly breakpoints?: readonly string[] } = {},
  ): Promise<void> {
    batch(() => {
      this.#setBreakpoints((options.breakpoints ?? []).filter((key) => condition(key) !== undefined));
      this.#setProgram(program);
      this.#setModules([]);
    });
    await this.record(options.step ?? 0);
  }

  /** Changes parts of the program without running it. */
  edit(change: Partial<Program>): void {
    this.#setProgram({ ...this.program(), ...change });
  }

  editCall(change: Partial<CallSpec>): void {
    this.edit({ call: { ...this.program().call, ...change } });
  }

  editConfig(change: Partial<Config>): void {
    this.edit({ config: { ...this.program().config, ...change } });
  }

  /** Adds modules; one with an id that is there already takes its place. Binaries that cannot be read are refused. */
  async addModules(added: readonly ProgramModule[]): Promise<void> {
    const old = this.program();
    const known = this.modules();
    try {
      const decoded = await this.#host.use('reading modules', (engine) =>
        Promise.all(added.map((module) => this.#decode(engine, module))),
      );
      const ids = new Set(decoded.map((module) => module.id));
      const kept = old.modules.filter((_, i) => !ids.has(known[i]?.id ?? ''));
      const last = decoded[decoded.length - 1];
      const callable =
        last?.remote.abi.functions.find((fn) => !fn.native && fn.visibility === 'public') ??
        last?.remote.abi.functions.find((fn) => !fn.native);
      const call = ids.has(splitFunction(old.call.function)?.module ?? '')
        ? old.call
        : last !== undefined && callable !== undefined
          ? defaultCall(last.id, callable)
          : old.call;
      this.#setProgram({ ...old, modules: [...kept, ...added], call });
      await this.record();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Gives modules of the program their sources and maps: by the module id of the map, else by the name of the module. */
  async attachSources(
    loose: readonly { readonly id: string | undefined; readonly source?: string; readonly map?: Uint8Array }[],
  ): Promise<void> {
    const program = this.program();
    const known = this.modules();
    const modules = program.modules.map((module, i) => {
      const id = known[i]?.id;
      const found = loose.filter((l) => l.id === id || (l.id === undefined && known.length === 1));
      const source = found.findLast((l) => l.source !== undefined)?.source ?? module.source;
      const map = found.findLast((l) => l.map !== undefined)?.map ?? module.map;
      return { ...module, ...(source === undefined ? {} : { source }), ...(map === undefined ? {} : { map }) };
    });
    this.#setProgram({ ...program, modules });
    await this.record(this.position()?.step ?? 0);
  }

  async removeModule(index: number): Promise<void> {
    const program = this.program();
    this.#setProgram({ ...program, modules: program.modules.filter((_, i) => i !== index) });
    await this.record();
  }

  /** Assembles text; nothing else happens. */
  async assemble(source: string): Promise<AssemblyResult> {
    return this.#host.use('assembling', async (engine) => {
      const dependencies = await this.#dependencies(engine, source);
      return engine.assemble(source, { dependencies });
    });
  }

  /** Bytes of the modules that a text names, of the program or the framework. */
  async #dependencies(engine: RemoteEngine, source: string): Promise<readonly Uint8Array[]> {
    const own = /^\s*module\s+(0x[0-9a-f]+::\w+)/im.exec(source)?.[1]?.toLowerCase();
    const named = new Set(source.match(/\b0x[0-9a-f]+::[a-z_]\w*/gi)?.map((id) => id.toLowerCase()));
    const found: Uint8Array[] = [];
    for (const id of named) {
      if (id === own) continue;
      const known = this.modules().find((module) => module.id.toLowerCase() === id)?.remote.bytes;
      if (known !== undefined) {
        found.push(known);
        continue;
      }
      const { chain } = await this.#openChain(engine, this.program().config, false);
      const bytes = await chain.getModule(id);
      if (bytes !== undefined) found.push(bytes);
    }
    return found;
  }

  /** What the verifier says of a binary. */
  async verify(bytes: Uint8Array): Promise<Verdict> {
    try {
      return await this.#host.use('verifying', async (engine) => (await engine.decode(bytes)).verdict);
    } catch (error) {
      const problem = problemOf(error);
      if (problem === undefined) throw error;
      return { ok: false, problem };
    }
  }

  /** The ABI of a function, of the program or the framework. */
  async functionAbi(name: string): Promise<FunctionAbi | undefined> {
    const parts = splitFunction(name);
    if (parts === undefined) return undefined;
    const module =
      this.modules().find((m) => m.id === parts.module)?.remote ?? (await this.#foreignModule(parts.module));
    return module === undefined ? undefined : findFunction(module, parts.function);
  }

  /** Publishes, sets up, records the call, goes to `step`. */
  record(step = 0): Promise<void> {
    this.#recorded = this.#record(step);
    this.#recorded.then(this.#firstRecorded);
    return this.#recorded;
  }

  async #record(step: number): Promise<void> {
    this.#runs += 1;
    const run = this.#runs;
    const program = this.program();
    batch(() => {
      this.#closeSession();
      this.#setStatus({ kind: 'working', what: 'Recording' });
    });
    try {
      await this.#host.use('recording the call', async (engine) => {
        const modules = await Promise.all(program.modules.map((module, i) => this.#decodeAt(engine, module, i)));
        if (run !== this.#runs) return;
        this.#setModules(modules);
        if (program.call.function === '') {
          this.#setStatus({ kind: 'empty' });
          return;
        }
        const session = await this.#prepareSession(engine, program, modules);
        if (run !== this.#runs) {
          await session.dispose();
          return;
        }
        await this.#show(session, step);
      });
    } catch (error) {
      if (run === this.#runs) this.#fail(error);
    }
  }

  /** Ends the machine at once; the program stays. */
  stopMachine(reason = 'Stopped.'): void {
    this.#host.stop(reason);
  }

  async #decode(engine: RemoteEngine, module: ProgramModule): Promise<LoadedModule> {
    return loadModule(await engine.decode(module.bytes), module);
  }

  async #decodeAt(engine: RemoteEngine, module: ProgramModule, index: number): Promise<LoadedModule> {
    try {
      return await this.#decode(engine, module);
    } catch (error) {
      throw refusal(error, `Module ${index + 1} cannot be read`, index);
    }
  }

  async #openChain(engine: RemoteEngine, config: Config, restored = true): Promise<OpenChain> {
    const key = `${config.framework} ${config.heapBytes}`;
    const open = this.#chain;
    if (open !== undefined && open.engine === engine && open.key === key) {
      if (restored) await open.chain.restore(open.fresh);
      return open;
    }
    const chain = await engine.createChain({ framework: config.framework, limits: { heapBytes: config.heapBytes } });
    const made = { key, engine, chain, fresh: await chain.snapshot() };
    this.#chain = made;
    this.#foreign.clear();
    if (open !== undefined && open.engine === engine) await open.chain.dispose();
    return made;
  }

  async #prepareSession(
    engine: RemoteEngine,
    program: Program,
    modules: readonly LoadedModule[],
  ): Promise<RemoteSession> {
    const { chain } = await this.#openChain(engine, program.config);
    await publishAll(chain, modules);
    for (const { address, amount } of program.fund) await chain.fund(address as `0x${string}`, BigInt(amount));
    const gas = BigInt(program.config.gasLimit);
    for (const [i, spec] of program.setup.entries()) {
      const request = await this.#request(spec, gas, `The call ${i + 1} before this one`);
      const outcome = await chain.run(request);
      if (!outcome.success) {
        throw new Refused({ message: `The call ${spec.function} before this one failed: ${describeOutcome(outcome)}` });
      }
    }
    const request = await this.#request(program.call, gas, 'The call');
    return chain.session(request, { maxSteps: program.config.maxSteps });
  }

  async #request(spec: CallSpec, gas: bigint, what: string): Promise<Parameters<RemoteChain['run']>[0]> {
    const abi = await this.functionAbi(spec.function);
    if (abi === undefined)
      throw new Refused({ message: `${what} names a function that is not there: ${spec.function}` });
    const prepared = prepare(spec, abi, gas);
    if (prepared.ok) return prepared.request;
    const [first] = prepared.problems;
    throw new Refused({ message: `${what}: ${first?.message ?? ''} expected`, fields: prepared.problems });
  }

  async #show(session: RemoteSession, step: number): Promise<void> {
    const length = session.length;
    const [depths, collections, , state, functions] = await Promise.all([
      session.depthProfile(Math.max(1, Math.min(PROFILE_POINTS, length))),
      session.collections(),
      session.seek(Math.min(step, length)),
      session.state(LIMITS),
      session.functions(),
    ]);
    this.#session = session;
    this.#lowerings = new Map();
    await this.#prefetch(session, state, functions);
    batch(() => {
      this.#setFunctions(functions);
      this.#setRecording({
        id: this.#runs,
        outcome: session.outcome,
        length,
        end: session.end,
        gasLimit: session.gasLimit,
        steps: new StepCache(length, (from, count) =>
          this.#host.use('reading steps', () => session.readSteps(from, count)),
        ),
        depths,
        collections,
      });
      this.#arrive(state, 'seek');
      this.#setStatus({ kind: 'ready' });
    });
  }

  #closeSession(): void {
    const session = this.#session;
    this.#session = undefined;
    this.#seekTarget = undefined;
    this.#setRecording(undefined);
    this.#setPosition(undefined);
    this.#setFunctions([]);
    session?.dispose().catch(() => undefined);
  }

  #fail(error: unknown): void {
    if (error instanceof EngineLost) {
      this.#chain = undefined;
      this.#session = undefined;
      this.#foreign.clear();
      batch(() => {
        this.#setRecording(undefined);
        this.#setPosition(undefined);
        this.#setFunctions([]);
        this.#setStatus({
          kind: 'stopped',
          message: `${error.message} It was restarted: change the call, or run it again.`,
        });
      });
      return;
    }
    if (error instanceof Refused) {
      this.#setStatus(error.status);
      return;
    }
    const problem = problemOf(error);
    this.#setStatus({ kind: 'refused', message: describeError(error), ...(problem === undefined ? {} : { problem }) });
  }

  // ---- movement ----

  step(movement: Movement, direction: Direction = 'forward'): Promise<void> {
    return this.#movement((session) => {
      switch (movement) {
        case 'into':
          return session.step(direction);
        case 'over':
          return session.stepOver(direction);
        case 'out':
          return session.stepOut(direction);
      }
    });
  }

  /** To the next breakpoint, or to the end (back: the start). */
  run(direction: Direction = 'forward'): Promise<void> {
    const conditions = this.breakpoints().flatMap((key) => condition(key) ?? []);
    return this.#movement((session) => session.runUntil(conditions, direction));
  }

  /** To the instruction that fails; if nothing fails, to the end. */
  async toFailure(): Promise<void> {
    const recording = this.recording();
    if (recording === undefined) return;
    const failed = !recording.outcome.success && recording.end === 'complete';
    await this.seek(failed ? Math.max(0, recording.length - 1) : recording.length);
  }

  /** To the next (last) step that changes bytes of a place. */
  async toWrite(address: number, size: number, direction: Direction): Promise<void> {
    return this.#movement((session) => session.runUntil({ at: 'write', address, size }, direction));
  }

  /** To the next (last) step in which the heap is collected. */
  async toCollection(direction: Direction): Promise<void> {
    return this.#movement((session) => session.runUntil({ at: 'collection' }, direction));
  }

  /** To a step. While one seek is under way, of all that follow only the last one counts. */
  async seek(step: number): Promise<void> {
    const waiting = this.#seekTarget !== undefined;
    this.#seekTarget = step;
    if (waiting) return;
    await this.#enqueue(async () => {
      const target = this.#seekTarget;
      this.#seekTarget = undefined;
      const session = this.#session;
      if (target === undefined || session === undefined) return;
      await this.#move(session, () => session.seek(Math.max(0, Math.min(target, session.length))), 'seek');
    });
  }

  /** Whether a movement is under way. */
  get moving(): boolean {
    return this.#waiting > 0;
  }

  #movement(move: (session: RemoteSession) => Promise<Stop>): Promise<void> {
    if (this.#waiting > WAITING) return this.#tail;
    return this.#enqueue(async () => {
      const session = this.#session;
      if (session !== undefined) await this.#move(session, () => move(session));
    });
  }

  #enqueue(job: () => Promise<void>): Promise<void> {
    this.#waiting += 1;
    this.#tail = this.#tail
      .then(() => this.#recorded)
      .then(job)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#waiting -= 1;
      });
    return this.#tail;
  }

  async #move(session: RemoteSession, move: () => Promise<Stop>, reason?: 'seek'): Promise<void> {
    // The worker answers in order: both questions are on their way at once.
    const [stop, state] = await this.#host.use('stepping', () => Promise.all([move(), session.state(LIMITS)]));
    let functions = this.functions();
    if (state.frames.some((frame) => frame.function >= functions.length)) functions = await session.functions();
    await this.#prefetch(session, state, functions);
    if (session !== this.#session) return;
    batch(() => {
      this.#setFunctions(functions);
      this.#arrive(state, reason ?? stop.reason);
    });
  }

  #arrive(state: SessionState, reason: Position['reason']): void {
    this.#setPosition({ step: state.step, state, reason });
    this.#setSelectedFrame(Math.max(0, state.frames.length - 1));
  }

  /** Lowering and source of the running function, so that the panes change together. */
  async #prefetch(session: RemoteSession, state: SessionState, functions: readonly SessionFunction[]): Promise<void> {
    const fn = state.frames[state.frames.length - 1]?.function;
    if (fn === undefined) return;
    const jobs: Promise<void>[] = [];
    if (!this.#lowerings.has(fn)) jobs.push(this.#fetchLowering(session, fn));
    const module = functions[fn]?.module;
    if (module !== undefined && !this.#hasSource(module)) jobs.push(this.#fetchSource(module));
    if (jobs.length > 0) await Promise.all(jobs);
  }

  async #fetchLowering(session: RemoteSession, fn: number): Promise<void> {
    const lowering = await this.#host.use('lowering', () => session.lowering(fn));
    this.#lowerings.set(fn, lowering);
    this.#touchCache();
  }

  #hasSource(module: string): boolean {
    return this.#sources.has(module) || this.modules().some((m) => m.id === module);
  }

  async #fetchSource(module: string): Promise<void> {
    const source = await this.#frameworkSource(module).catch(() => undefined);
    this.#sources.set(module, source);
    this.#touchCache();
  }

  // ---- what panes ask for ----

  /** A function at every level; asks for it if it is not there yet. */
  lowering(fn: number): Lowering | undefined {
    this.#cacheVersion();
    const known = this.#lowerings.get(fn);
    const session = this.#session;
    if (known === undefined && session !== undefined) {
      this.#fetchLowering(session, fn).catch(() => undefined);
    }
    return known;
  }

  /** A function at every level, when it is there. */
  async loweringOf(fn: number): Promise<Lowering | undefined> {
    const session = this.#session;
    if (session !== undefined && !this.#lowerings.has(fn))
      await this.#fetchLowering(session, fn).catch(() => undefined);
    return this.#lowerings.get(fn);
  }

  /** The source of a module, of the program or the framework. */
  source(module: string): ModuleSource | undefined {
    this.#cacheVersion();
    const own = this.modules().find((m) => m.id === module);
    if (own !== undefined) return own.source;
    if (!this.#sources.has(module)) this.#fetchSource(module).catch(() => undefined);
    return this.#sources.get(module);
  }

  /** Asks the recording something; `undefined` if there is none, or not any more. */
  async ask<T>(what: string, question: (session: RemoteSession) => Promise<T>): Promise<T | undefined> {
    const session = this.#session;
    if (session === undefined) return undefined;
    try {
      const answer = await this.#host.use(what, () => question(session));
      return session === this.#session ? answer : undefined;
    } catch (error) {
      if (session === this.#session && error instanceof EngineLost) this.#fail(error);
      return undefined;
    }
  }

  /** Functions, after a whole look at the recording. */
  async refreshFunctions(): Promise<void> {
    const functions = await this.ask('reading functions', (session) => session.functions());
    if (functions !== undefined && functions.length !== this.functions().length) this.#setFunctions(functions);
  }

  async #foreignModule(id: string): Promise<RemoteModule | undefined> {
    if (this.#foreign.has(id)) return this.#foreign.get(id);
    const open = this.#chain;
    if (open === undefined) return undefined;
    const bytes = await open.chain.getModule(id);
    const module = bytes === undefined ? undefined : await open.engine.decode(bytes);
    this.#foreign.set(id, module);
    return module;
  }

  // ---- breakpoints and frames ----

  toggleBreakpoint(key: BreakpointKey): void {
    const keys = this.breakpoints();
    this.#setBreakpoints(keys.includes(key) ? keys.filter((k) => k !== key) : [...keys, key]);
  }

  clearBreakpoints(): void {
    this.#setBreakpoints([]);
  }

  selectFrame(index: number): void {
    this.#setSelectedFrame(index);
  }
}

function refusal(
  error: unknown,
  what: string,
  module: number,
  nameOf?: (index: number) => string | undefined,
): unknown {
  if (error instanceof EngineLost) return error;
  const problem = problemOf(error);
  return new Refused({
    message: `${what}: ${problem === undefined ? describeError(error) : describeProblem(problem, nameOf)}`,
    module,
    ...(problem === undefined ? {} : { problem }),
  });
}

/** Publishes the modules, a bundle for each address, in their order. */
async function publishAll(chain: RemoteChain, modules: readonly LoadedModule[]): Promise<void> {
  const bundles = new Map<string, { readonly index: number; readonly module: LoadedModule }[]>();
  modules.forEach((module, index) => {
    if (module.remote.kind !== 'module') return;
    const address = module.remote.abi.address;
    bundles.set(address, [...(bundles.get(address) ?? []), { index, module }]);
  });
  for (const bundle of bundles.values()) {
    try {
      await chain.publish(bundle.map(({ module }) => module.remote.bytes));
    } catch (error) {
      const guilty = bundle.find(({ module }) => !module.remote.verdict.ok) ?? bundle[0];
      const functions = guilty?.module.remote.abi.functions;
      throw refusal(
        error,
        'Publishing was refused',
        guilty?.index ?? 0,
        (i) => functions?.find((f) => f.index === i)?.name,
      );
    }
  }
}
