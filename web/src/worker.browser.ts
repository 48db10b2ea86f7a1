/** `monomove/worker` in browsers: an engine in a worker of its own. */

import type { ResponseMessage } from './protocol.js';
import { connect, type WorkerEvents } from './remote.js';
import type { RemoteEngine, SpawnOptions, WorkerLike } from './types/worker.js';

export * from './errors.js';
export type * from './types/index.js';

function listen(worker: WorkerLike, events: WorkerEvents): void {
  const target = worker as unknown as EventTarget;
  target.addEventListener('message', (event) => events.message((event as MessageEvent<ResponseMessage>).data));
  target.addEventListener('error', (event) => events.failed((event as ErrorEvent).message ?? 'the worker failed'));
  target.addEventListener('messageerror', () => events.failed('a message could not be read'));
}

/** Starts a worker and loads the engine in it. */
export function spawn(options: SpawnOptions = {}): Promise<RemoteEngine> {
  const worker =
    options.worker?.() ?? new Worker(new URL('./worker-script.browser.js', import.meta.url), { type: 'module' });
  return connect(worker as WorkerLike, listen, options);
}
