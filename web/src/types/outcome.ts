/** How a call ended: kept, discarded or fault, never confused. */

import type { Address, TypedValue, TypeText } from './values.js';

/** Where a failure happened. */
export interface FailureLocation {
  /** `0x1::m`; absent for a failure outside any module. */
  readonly module?: string;
  readonly function?: string;
  /** Definition index of the function in its module. */
  readonly functionIndex?: number;
  /** Code offset: index of the instruction in the function. */
  readonly offset?: number;
}

/** Why a call did not return. */
export interface Failure {
  /** Name of the status: `ABORTED` for a Move abort, `OUT_OF_GAS`, `ARITHMETIC_ERROR`, … */
  readonly status: string;
  /** Its number. */
  readonly statusCode: number;
  /** Abort code, or the detail number that some statuses have. */
  readonly subStatus?: bigint;
  /** Message of the abort, or a short explanation. */
  readonly message?: string;
  readonly location: FailureLocation;
}

/** What a run used. */
export interface Usage {
  /** Internal gas units. */
  readonly gasUsed: bigint;
  /** Of that, gas of bytecode instructions. */
  readonly instructionGas: bigint;
  /** Bytecode instructions. */
  readonly instructions: bigint;
}

/** A change of one state value. */
export interface StateChange {
  /** State key as text: `0x1/resource/0x1::m::T`, `0x1/code/m`, `table/0x…/hex`. */
  readonly key: string;
  readonly op: 'create' | 'modify' | 'delete';
  /** Value before; absent when there was none. */
  readonly before?: Uint8Array;
  /** Value after; absent when it is deleted. */
  readonly after?: Uint8Array;
  /** Type of the value, where the key names it. */
  readonly type?: TypeText;
}

/** An emitted event. */
export interface MoveEvent extends TypedValue {}

/** It was executed and returned. Its changes are applied if the call commits. */
export interface Returned extends Usage {
  readonly kind: 'kept';
  readonly success: true;
  readonly values: readonly TypedValue[];
  /** Final values of `&mut` parameters: position in the argument list (signers included). */
  readonly mutableArguments: readonly { readonly index: number; readonly value: TypedValue }[];
  readonly changes: readonly StateChange[];
  readonly events: readonly MoveEvent[];
  /** Tables that were made. */
  readonly newTables: readonly { readonly handle: Address; readonly keyType: TypeText; readonly valueType: TypeText }[];
}

/** It was executed and failed (aborted, ran out of gas, …). Gas is charged, nothing else stays. */
export interface Failed extends Usage {
  readonly kind: 'kept';
  readonly success: false;
  readonly failure: Failure;
}

/** It was refused before its first instruction. */
export interface Discarded {
  readonly kind: 'discarded';
  readonly success: false;
  readonly failure: Failure;
}

/** What kind of thing broke. */
export type FaultKind = 'panic' | 'trap' | 'memory' | 'stack' | 'time';

/**
 * The engine broke, or a limit of the embedding was hit: no result of Move. The instance is poisoned; everything in it throws
 * {@link PoisonedError} from then on, until `reset()`.
 */
export interface Fault {
  readonly kind: 'fault';
  readonly success: false;
  readonly fault: { readonly kind: FaultKind; readonly message: string };
}

export type Outcome = Returned | Failed | Discarded | Fault;
