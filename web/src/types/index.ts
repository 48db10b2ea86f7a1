/** The public types: contracts of the classes in this package, and plain data that crosses. */

export type * from './chain.js';
export type * from './errors.js';
export type * from './module.js';
export type * from './outcome.js';
export type * from './session.js';
export type * from './values.js';
export type * from './worker.js';
