/** Stepping through a recorded call, both ways. */

import type { Ability } from './module.js';
import type { Outcome } from './outcome.js';
import type { Address, TypeText, Value, ValueLimits } from './values.js';

export interface SessionOptions {
  /** Steps that are recorded; the call goes on beyond them unrecorded. Default 2²⁰. */
  readonly maxSteps?: number;
}

/** Why a recording ends where it does. */
export type SessionEnd =
  /** The call ended. */
  | 'complete'
  /** `maxSteps`. */
  | 'steps'
  /** The frames of the form that is stepped through did not fit the frame stack. */
  | 'frames';

export type Direction = 'forward' | 'back';

/** A function that the call went through, with its type arguments. */
export interface SessionFunction {
  /** Index in `functions()`: what `StepColumns.function` holds. */
  readonly index: number;
  /** `0x1::m`. */
  readonly module: string;
  readonly name: string;
  /** Definition index in its module. */
  readonly definition: number;
  readonly typeArguments: readonly TypeText[];
  readonly native: boolean;
  /** Bytes of its frame. */
  readonly frameBytes: number;
  /** Code offset where each basic block starts. */
  readonly blocks: readonly number[];
}

/**
 * A batch of steps as columns, one element a step. Row `i` is step `from + i`: the instruction that begins there, and what was used before it.
 * The arrays are copies: they stay valid.
 */
export interface StepColumns {
  readonly from: number;
  readonly count: number;
  /** Index into `functions()`. */
  readonly function: Uint32Array;
  /** Code offset. */
  readonly offset: Uint16Array;
  /** Number of callers. */
  readonly depth: Uint16Array;
  /** Internal gas used before the step. */
  readonly gas: BigUint64Array;
}

/**
 * What a local (`p0`, `l3`) or an operand (`s0`, the deepest) must be: a number, `bool` or address, or a reference to one, compared with a value as
 * text. It does not hold where there is no such place, or it has no such type.
 */
export interface When {
  /** As {@link PlaceState.name}. */
  readonly place: string;
  readonly is: '==' | '!=' | '<' | '<=' | '>' | '>=';
  readonly value: string;
}

/** A stop condition for `runUntil`. */
export type Condition =
  /** An instruction of a function; without `offset`: its first one, that is a call of it. `function` is `0x1::m::f`. */
  | { readonly at: 'instruction'; readonly function: string; readonly offset?: number; readonly when?: When }
  /** Gas used reaches this. */
  | { readonly at: 'gas'; readonly used: bigint }
  /** A global value is read or changed; without `key`: any. */
  | { readonly at: 'global'; readonly key?: string; readonly write?: boolean }
  /** An event is emitted; without `type`: any. */
  | { readonly at: 'event'; readonly type?: TypeText }
  /** Bytes at an address change. */
  | { readonly at: 'write'; readonly address: number; readonly size: number }
  /** The heap is collected. */
  | { readonly at: 'collection' }
  /** The instruction that fails; without a failure: the end. */
  | { readonly at: 'failure' };

/** Where a movement ended, and why. */
export interface Stop {
  /** The step that comes next. */
  readonly step: number;
  readonly reason: 'step' | 'condition' | 'start' | 'end';
  /** Index in the list of conditions, with reason `condition`. */
  readonly condition?: number;
}

/** A range of memory. */
export interface MemoryRange {
  readonly address: number;
  readonly size: number;
}

/** A place that holds a value: a local or an operand. */
export interface PlaceState {
  readonly name: string;
  readonly type: TypeText;
  /** Byte offset from the frame pointer. */
  readonly slot: number;
  readonly size: number;
  readonly bytes: Uint8Array;
  /** Absent for a local that holds nothing here (not assigned, or moved out). */
  readonly value?: Value;
  /** Whether the last step, in the direction it went, changed its bytes. */
  readonly changed: boolean;
}

/** A frame of the call stack. */
export interface FrameState {
  /** Index into `functions()`. */
  readonly function: number;
  /** Code offset of the instruction it executes (of a caller: its call). */
  readonly offset: number;
  /** Address of its first byte. */
  readonly address: number;
  /** Parameters first. */
  readonly locals: readonly PlaceState[];
  readonly parameters: number;
  /** The operand stack, deepest first. Of a caller: as before its call. */
  readonly operands: readonly PlaceState[];
}

/** A global value at a step. */
export interface GlobalState {
  readonly key: string;
  readonly type?: TypeText;
  /** As the call found it. */
  readonly before?: { readonly bcs: Uint8Array; readonly value: Value };
  /** As it is at this step. */
  readonly now?: { readonly bcs: Uint8Array; readonly value: Value };
  /** Step that first read it. */
  readonly readAt: number;
  readonly changed: boolean;
  /** Where it lies in the heap. */
  readonly address?: number;
}

/** A heap object. */
export interface HeapObject {
  readonly address: number;
  /** Bytes, without the header before it. */
  readonly size: number;
  /** What it is: type of the object, or of the elements of the vector whose storage it is. */
  readonly type: TypeText;
  readonly kind: 'value' | 'elements' | 'closure';
}

/** A collection of the heap: what is alive is moved to its start. Sizes include the headers of objects. */
export interface Collection {
  /** The step in which it happened: the heap at this position is the one before, at the next position the one after. */
  readonly step: number;
  /** Bytes of the heap before the step. */
  readonly before: number;
  /** Bytes of the heap after the step. */
  readonly after: number;
  /** Bytes that were alive. */
  readonly live: number;
}

/** What happened in a step besides writes to its frame. */
export type StepEvent =
  | { readonly kind: 'call' | 'return'; readonly function: number }
  | {
      /** `change` belongs to the end of the run: what the call leaves changed. */
      readonly kind: 'load' | 'access' | 'borrow-mut' | 'take' | 'store' | 'change';
      readonly key: string;
    }
  | { readonly kind: 'emit'; readonly type: TypeText; readonly bcs: Uint8Array; readonly value: Value }
  | { readonly kind: 'allocate'; readonly address: number; readonly bytes: number }
  | ({ readonly kind: 'collect' } & Omit<Collection, 'step'>)
  | { readonly kind: 'fail'; readonly status: string; readonly subStatus: bigint };

/** The state before a step: the whole screen of a debugger in one piece. */
export interface SessionState {
  readonly step: number;
  /** The running function last. */
  readonly frames: readonly FrameState[];
  readonly gasUsed: bigint;
  readonly gasLeft: bigint;
  /** Bytes of the heap in use. */
  readonly heapBytes: number;
  /** Ranges that the last movement changed, if it was a single step. */
  readonly changes: readonly MemoryRange[];
}

/** A field of a type's layout. */
export interface FieldLayout {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly type: TypeText;
  /** Id of its type in the table, if it is a compound one. */
  readonly typeId?: number;
  /** What the bytes are: a plain value, a pointer to the heap, or a value with pointers in it. */
  readonly slot: SlotKind;
}

export type SlotKind = 'plain' | 'pointer' | 'mixed' | 'tag';

/** An entry of the interned type table. */
export interface TypeInfo {
  /** Its id, of this run only. */
  readonly id: number;
  /** Canonical name. */
  readonly name: TypeText;
  readonly kind: 'primitive' | 'vector' | 'struct' | 'enum' | 'function' | 'reference' | 'parameter';
  readonly abilities: readonly Ability[];
  /** Bytes of a value; absent as long as nobody needed the layout. */
  readonly size?: number;
  readonly align?: number;
  /** Fields of a struct; for a vector its header. */
  readonly fields: readonly FieldLayout[];
  /** Variants of an enum. */
  readonly variants?: readonly { readonly name: string; readonly fields: readonly FieldLayout[] }[];
  /** Ids of the types it consists of: elements, fields, type arguments. */
  readonly refersTo: readonly number[];
  /** Functions (indices into `functions()`) that have it as type argument or as type of a local. */
  readonly usedBy: readonly number[];
}

/** One line of a lowered form. */
export interface LoweredLine {
  readonly text: string;
  /** Code offset of the bytecode instruction it comes from; absent on labels and headings. */
  readonly offset?: number;
}

/** A level of lowering. Levels are in the order of the pipeline; more may join. */
export interface LoweringLevel {
  /** `bytecode`, `stackless`, `micro-ops`; a reader must accept others. */
  readonly name: string;
  readonly lines: readonly LoweredLine[];
}

/** A function at every level, linked by code offsets. */
export interface Lowering {
  readonly function: string;
  readonly typeArguments: readonly TypeText[];
  readonly levels: readonly LoweringLevel[];
}

/**
 * A recorded call and a position in it. Position `n` is the state before step `n`; `length` is the state after the last one. Only what is asked
 * for crosses from wasm; moving runs the call again up to there without recording, which takes milliseconds.
 */
export interface SessionApi extends Disposable {
  /** How the call ended. */
  readonly outcome: Outcome;
  /** Number of recorded steps: bytecode instructions. */
  readonly length: number;
  readonly end: SessionEnd;
  /** The step that comes next. */
  readonly position: number;
  readonly gasLimit: bigint;

  /** One step; into a call. */
  step(direction?: Direction): Stop;
  /** `step('back')`. */
  stepBack(): Stop;
  /** To the next step of this frame or of a caller: over calls. Back: to the previous one. */
  stepOver(direction?: Direction): Stop;
  /** Until the running function has returned. Back: to the call that entered it. */
  stepOut(direction?: Direction): Stop;
  /** Until one of the conditions holds. Without any: to the end, or back to the start. */
  runUntil(conditions?: Condition | readonly Condition[], direction?: Direction): Stop;
  /** To a step. */
  seek(step: number): Stop;

  /**
   * Records a stretch next to the one of the position, so that stepping into it is instant. `false` if there is nothing to do. A worker does this by
   * itself when it is idle. Does not move.
   */
  prefetch(): boolean;

  /** A batch of steps as columns. Does not move. */
  readSteps(from: number, count: number): StepColumns;
  /** Call depth at evenly spaced steps over the whole recording, for an overview: `points` values. Does not move. */
  depthProfile(points: number): Uint16Array;
  /** What happened in a step. Does not move. */
  eventsOf(step: number): readonly StepEvent[];

  /** Functions met so far by indices: it grows as more of the recording is looked at, indices stay. */
  functions(): readonly SessionFunction[];
  /** The state here: frames with locals and operands, gas. */
  state(limits?: ValueLimits): SessionState;
  /** One frame; 0 is the entry function. Without an index: the running one. */
  frame(index?: number, limits?: ValueLimits): FrameState;
  /** The bytes of a frame, as `state()` gives their meaning. */
  frameBytes(index: number): Uint8Array;
  /** Heap objects in the order of their addresses, at most `count` from the first at or after `from`. */
  heap(from?: number, count?: number): readonly HeapObject[];
  /** A heap object with its value. */
  object(
    address: number,
    limits?: ValueLimits,
  ): { readonly object: HeapObject; readonly bytes: Uint8Array; readonly value: Value };
  /** Bytes at an address; `undefined` if they are not in use. */
  bytes(address: number, size: number): Uint8Array | undefined;
  /** Global values that the call has touched so far, before and now. */
  globals(limits?: ValueLimits): readonly GlobalState[];
  /** Events emitted before this position. */
  events(): readonly {
    readonly step: number;
    readonly type: TypeText;
    readonly bcs: Uint8Array;
    readonly value: Value;
  }[];
  /** The collections of the heap in the whole recording. Does not move. */
  collections(): readonly Collection[];
  /** The interned type table of this run with layouts. */
  types(): readonly TypeInfo[];
  /** A function at every level of lowering: an index into `functions()`. */
  lowering(fn: number): Lowering;

  /** Frees its memory. Using it afterwards throws `DisposedError`. */
  dispose(): void;
}

export type { Address };
