/** What crosses between a page and its worker. */

import type { ErrorData } from './errors.js';

/** Object number of the engine itself. */
export const ENGINE = 0;

/** In place of an object that lives in the worker. */
export interface ObjectReference {
  readonly $object: number;
}

/** A method of an object in the worker. */
export interface RequestMessage {
  readonly id: number;
  readonly object: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** The answer to the request of the same id. */
export type ResponseMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorData };

/** An object that was made in the worker, and what of it never changes. */
export interface MadeObject {
  readonly object: number;
  readonly fixed: Readonly<Record<string, unknown>>;
}

/** Whether an argument stands for an object in the worker. */
export function isReference(value: unknown): value is ObjectReference {
  return typeof value === 'object' && value !== null && '$object' in value && typeof value.$object === 'number';
}
