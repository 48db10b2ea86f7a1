/** Error classes, each with a stable `code`, and how exceptions of the bindings become them. */

import type { ErrorCode, FormatErrorApi, MonoMoveErrorApi, MoveFailureApi, PublishErrorApi } from './types/errors.js';
import type { FormatProblem } from './types/module.js';
import type { Discarded, Failed, FaultKind } from './types/outcome.js';

/** What every error of this package is. */
export class MonoMoveError extends Error implements MonoMoveErrorApi {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** The engine was used before `init()` resolved. */
export class NotInitializedError extends MonoMoveError {
  constructor() {
    super('not_initialized', 'await init() before using this');
  }
}

/** The wasm could not be loaded. */
export class LoadError extends MonoMoveError {
  constructor(message: string, options?: ErrorOptions) {
    super('load', message, options);
  }
}

/** The instance had a trap, or belongs to one that had; `reset()` makes a fresh one. */
export class PoisonedError extends MonoMoveError {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string, options?: ErrorOptions) {
    super('poisoned', message, options);
    this.kind = kind;
  }
}

/** The object was disposed. */
export class DisposedError extends MonoMoveError {
  constructor(what: string) {
    super('disposed', `this ${what} was disposed`);
  }
}

/** An argument of this API is wrong. */
export class InvalidArgumentError extends MonoMoveError {
  constructor(message: string) {
    super('invalid_argument', message);
  }
}

/** Bytes are not a module. */
export class FormatError extends MonoMoveError implements FormatErrorApi {
  declare readonly code: 'format';
  readonly problem: FormatProblem;

  constructor(message: string, problem: FormatProblem) {
    super('format', message);
    this.problem = problem;
  }
}

/** A bundle was refused. */
export class PublishError extends MonoMoveError implements PublishErrorApi {
  declare readonly code: 'publish';
  readonly problem?: FormatProblem | undefined;
  readonly outcome?: Failed | Discarded | undefined;

  constructor(message: string, problem?: FormatProblem, outcome?: Failed | Discarded) {
    super('publish', message);
    this.problem = problem;
    this.outcome = outcome;
  }
}

/** A call that had to return did not. */
export class MoveFailure extends MonoMoveError implements MoveFailureApi {
  declare readonly code: 'move';
  readonly outcome: Failed | Discarded;

  constructor(message: string, outcome: Failed | Discarded) {
    super('move', message);
    this.outcome = outcome;
  }
}

/** The request was given up by its signal. `cause` is the signal's reason. */
export class AbortedError extends MonoMoveError {
  constructor(message: string, options?: ErrorOptions) {
    super('aborted', message, options);
  }
}

/** The worker is gone. */
export class TerminatedError extends MonoMoveError {
  constructor(message: string) {
    super('terminated', message);
  }
}

/** An error as plain data: what the bindings throw, and what crosses from a worker. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly problem?: FormatProblem;
  readonly outcome?: Failed | Discarded;
  readonly kind?: FaultKind;
}

/** Whether something thrown is an error of the bindings. */
export function isErrorData(thrown: unknown): thrown is ErrorData {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    !(thrown instanceof Error) &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    'message' in thrown
  );
}

/** The exception for an error that came as data. */
export function errorFrom(data: ErrorData): MonoMoveError {
  const { code, message, problem, outcome } = data;
  switch (code) {
    case 'format':
      if (problem) return new FormatError(message, problem);
      break;
    case 'publish':
      return new PublishError(message, problem, outcome);
    case 'move':
      if (outcome) return new MoveFailure(message, outcome);
      break;
    case 'invalid_argument':
      return new InvalidArgumentError(message);
    case 'poisoned':
      return new PoisonedError(data.kind ?? 'trap', message);
    case 'not_initialized':
      return new NotInitializedError();
    default:
      break;
  }
  return new MonoMoveError(code, message);
}

/** An error as data, for a message. */
export function errorData(error: unknown): ErrorData {
  if (error instanceof MonoMoveError) {
    return {
      code: error.code,
      message: error.message,
      ...('problem' in error && error.problem ? { problem: error.problem as FormatProblem } : {}),
      ...('outcome' in error && error.outcome ? { outcome: error.outcome as Failed | Discarded } : {}),
      ...('kind' in error ? { kind: error.kind as FaultKind } : {}),
    };
  }
  return { code: 'invalid_argument', message: error instanceof Error ? error.message : String(error) };
}
