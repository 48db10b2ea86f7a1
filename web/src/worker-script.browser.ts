/** The script of a browser's worker. */

import { init } from './index.browser.js';
import type { RequestMessage } from './protocol.js';
import { serve } from './serve.js';

const receive = serve(init, (response) => self.postMessage(response));
self.addEventListener('message', (event: MessageEvent<RequestMessage>) => void receive(event.data));
