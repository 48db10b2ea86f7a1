/** Everything that does not depend on where it runs. */

export { Chain } from './chain.js';
export { type InitInput, isReady, poisonedBy, reset } from './engine.js';
export * from './errors.js';
export { Module } from './module.js';
export { Session } from './session.js';
export type * from './types/index.js';
