/** Error classes, each with a stable `code`. */

import type { FormatProblem } from './module.js';
import type { Discarded, Failed } from './outcome.js';

export type ErrorCode =
  /** The engine was used before `init()` resolved. */
  | 'not_initialized'
  /** The wasm could not be loaded. */
  | 'load'
  /** The instance had a trap: it is not used again. */
  | 'poisoned'
  /** The object was disposed. */
  | 'disposed'
  /** An argument of this API is wrong; `message` says what was expected. */
  | 'invalid_argument'
  /** Bytes are not a module. */
  | 'format'
  /** A bundle was refused. */
  | 'publish'
  /** A call that had to return did not (`view`, `fund`). */
  | 'move'
  /** The request was given up by its signal. */
  | 'aborted'
  /** The worker is gone. */
  | 'terminated';

/** What every error of this package is. */
export interface MonoMoveErrorApi extends Error {
  readonly code: ErrorCode;
}

/** `code: 'format'`. */
export interface FormatErrorApi extends MonoMoveErrorApi {
  readonly code: 'format';
  readonly problem: FormatProblem;
}

/** `code: 'publish'`. */
export interface PublishErrorApi extends MonoMoveErrorApi {
  readonly code: 'publish';
  /** What is wrong with a module, if it is that. */
  readonly problem?: FormatProblem | undefined;
  /** How `init_module` ended, if it is that. */
  readonly outcome?: Failed | Discarded | undefined;
}

/** `code: 'move'`. */
export interface MoveFailureApi extends MonoMoveErrorApi {
  readonly code: 'move';
  readonly outcome: Failed | Discarded;
}
