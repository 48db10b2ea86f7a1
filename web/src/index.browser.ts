/** The package in browsers and whatever else has `fetch`. */

import { type InitInput, initialize } from './engine.js';

export * from './api.js';

/**
 * Loads the wasm: once, however often it is called. Without `input` it is fetched from beside this script.
 */
export function init(input?: InitInput | PromiseLike<InitInput>): Promise<void> {
  const given = input ?? new URL('./monomove_bg.wasm', import.meta.url);
  return initialize(given, (url) => fetch(url));
}
