/** Stepping through a recorded call, both ways. */

import type { RawChain, RawSession } from './bindings/monomove.js';
import { Handle } from './handle.js';
import type { CallRequest } from './types/chain.js';
import type { Outcome } from './types/outcome.js';
import type {
  Collection,
  Condition,
  Direction,
  FrameState,
  GlobalState,
  HeapObject,
  Lowering,
  SessionApi,
  SessionEnd,
  SessionFunction,
  SessionOptions,
  SessionState,
  StepColumns,
  StepEvent,
  Stop,
  TypeInfo,
} from './types/session.js';
import type { ValueLimits } from './types/values.js';

/** Steps that are recorded unless the options say otherwise. */
const MAX_STEPS = 2 ** 20;

/** Heap objects that are listed unless the caller says otherwise. */
const OBJECTS = 1024;

function isList(conditions: Condition | readonly Condition[]): conditions is readonly Condition[] {
  return Array.isArray(conditions);
}

/** A recorded call and a position in it. Made by `Chain.session`. */
export class Session implements SessionApi {
  readonly #handle: Handle<RawSession>;
  readonly outcome: Outcome;
  readonly gasLimit: bigint;

  /** Not for users: `Chain.session` makes sessions. */
  constructor(chain: Handle<RawChain>, request: CallRequest, options: SessionOptions = {}) {
    const maxSteps = options.maxSteps ?? MAX_STEPS;
    this.#handle = new Handle('session', (engine) => new engine.RawSession(chain.raw, request, maxSteps));
    this.outcome = this.#handle.with((raw) => raw.outcome());
    this.gasLimit = this.#handle.with((raw) => raw.gasLimit);
  }

  get length(): number {
    return this.#handle.with((raw) => raw.length);
  }

  get end(): SessionEnd {
    return this.#handle.with((raw) => raw.end as SessionEnd);
  }

  get position(): number {
    return this.#handle.with((raw) => raw.position);
  }

  step(direction: Direction = 'forward'): Stop {
    return this.#handle.with((raw) => raw.step(direction === 'back'));
  }

  stepBack(): Stop {
    return this.step('back');
  }

  stepOver(direction: Direction = 'forward'): Stop {
    return this.#handle.with((raw) => raw.stepOver(direction === 'back'));
  }

  stepOut(direction: Direction = 'forward'): Stop {
    return this.#handle.with((raw) => raw.stepOut(direction === 'back'));
  }

  runUntil(conditions: Condition | readonly Condition[] = [], direction: Direction = 'forward'): Stop {
    const list = isList(conditions) ? conditions : [conditions];
    return this.#handle.with((raw) => raw.runUntil(list, direction === 'back'));
  }

  seek(step: number): Stop {
    return this.#handle.with((raw) => raw.seek(step));
  }

  prefetch(): boolean {
    return this.#handle.with((raw) => raw.prefetch());
  }

  readSteps(from: number, count: number): StepColumns {
    return this.#handle.with((raw) => raw.readSteps(from, count));
  }

  depthProfile(points: number): Uint16Array {
    return this.#handle.with((raw) => raw.depthProfile(points));
  }

  eventsOf(step: number): readonly StepEvent[] {
    return this.#handle.with((raw) => raw.eventsOf(step));
  }

  functions(): readonly SessionFunction[] {
    return this.#handle.with((raw) => raw.functions());
  }

  state(limits: ValueLimits = {}): SessionState {
    return this.#handle.with((raw) => raw.state(limits));
  }

  frame(index?: number, limits: ValueLimits = {}): FrameState {
    return this.#handle.with((raw) => raw.frame(index, limits));
  }

  frameBytes(index: number): Uint8Array {
    return this.#handle.with((raw) => raw.frameBytes(index));
  }

  heap(from = 0, count = OBJECTS): readonly HeapObject[] {
    return this.#handle.with((raw) => raw.heap(from, count));
  }

  object(address: number, limits: ValueLimits = {}): ReturnType<SessionApi['object']> {
    return this.#handle.with((raw) => raw.object(address, limits));
  }

  bytes(address: number, size: number): Uint8Array | undefined {
    return this.#handle.with((raw) => raw.bytes(address, size));
  }

  globals(limits: ValueLimits = {}): readonly GlobalState[] {
    return this.#handle.with((raw) => raw.globals(limits));
  }

  events(): ReturnType<SessionApi['events']> {
    return this.#handle.with((raw) => raw.events());
  }

  collections(): readonly Collection[] {
    return this.#handle.with((raw) => raw.collections());
  }

  types(): readonly TypeInfo[] {
    return this.#handle.with((raw) => raw.types());
  }

  lowering(fn: number): Lowering {
    return this.#handle.with((raw) => raw.lowering(fn));
  }

  dispose(): void {
    this.#handle.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
