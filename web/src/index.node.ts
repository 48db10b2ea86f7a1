/** The package in Node: the wasm is read from the file system. */

import { readFile } from 'node:fs/promises';
import { type InitInput, initialize } from './engine.js';

export * from './api.js';

async function load(url: URL | string): Promise<InitInput> {
  const at = typeof url === 'string' && /^[a-z]+:/i.test(url) ? new URL(url) : url;
  if (at instanceof URL && at.protocol !== 'file:') return fetch(at);
  return new Uint8Array(await readFile(at));
}

/**
 * Loads the wasm: once, however often it is called. Without `input` it is read from beside this script.
 */
export function init(input?: InitInput | PromiseLike<InitInput>): Promise<void> {
  return initialize(input ?? new URL('./monomove_bg.wasm', import.meta.url), load);
}
