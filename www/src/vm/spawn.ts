/** Starting the worker of the package `monomove`. */

import type { RemoteEngine } from 'monomove';
import { spawn } from 'monomove/worker';

export function spawnEngine(): Promise<RemoteEngine> {
  return spawn();
}
