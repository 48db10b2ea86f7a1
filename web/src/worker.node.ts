/** `monomove/worker` in Node: an engine in a worker thread of its own. */

import { Worker } from 'node:worker_threads';
import type { ResponseMessage } from './protocol.js';
import { connect, type WorkerEvents } from './remote.js';
import type { RemoteEngine, SpawnOptions, WorkerLike } from './types/worker.js';

export * from './errors.js';
export type * from './types/index.js';

function listen(worker: WorkerLike, events: WorkerEvents): void {
  const thread = worker as Worker;
  thread.on('message', (message: ResponseMessage) => events.message(message));
  thread.on('error', (error) => events.failed(String(error)));
  thread.on('messageerror', (error) => events.failed(error.message));
  thread.on('exit', (code) => events.failed(`it exited with code ${code}`));
}

/** Starts a worker thread and loads the engine in it. The thread keeps the process alive until it is terminated or disposed. */
export function spawn(options: SpawnOptions = {}): Promise<RemoteEngine> {
  const worker = options.worker?.() ?? new Worker(new URL('./worker-script.node.js', import.meta.url));
  return connect(worker as WorkerLike, listen, options);
}
