/** The script of a worker thread in Node. */

import { parentPort } from 'node:worker_threads';
import { init } from './index.node.js';
import type { RequestMessage } from './protocol.js';
import { serve } from './serve.js';

const receive = serve(init, (response) => parentPort?.postMessage(response));
parentPort?.on('message', (message: RequestMessage) => void receive(message));
