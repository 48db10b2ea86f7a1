/** Tests of the built playground in Chromium. `CHROMIUM` names the browser; else it is looked for. Without one the tests say that they skip. */

import { execFileSync } from 'node:child_process';
import { defineConfig } from '@playwright/test';

const PORT = 4179;

function chromium(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      // The next one.
    }
  }
  return undefined;
}

const browser = chromium();
if (browser === undefined) console.warn('No Chromium found: the tests of the built playground are skipped.');

export default defineConfig({
  testDir: 'tests',
  testIgnore: browser === undefined ? '**' : [],
  timeout: 90_000,
  workers: 1,
  reporter: [['list']],
  use: {
    baseURL: `http://localhost:${PORT}/`,
    viewport: { width: 1440, height: 900 },
    launchOptions: { executablePath: browser ?? '', args: ['--no-sandbox'] },
  },
  webServer: {
    command: `npx vite preview --port ${PORT} --strictPort`,
    url: `http://localhost:${PORT}/`,
  },
});
