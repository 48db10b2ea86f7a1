/** How the playground is built. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import solid from 'vite-plugin-solid';
import { defineConfig } from 'vitest/config';
import { serviceWorker } from './build/service-worker.ts';

const require = createRequire(import.meta.url);
const engine = JSON.parse(readFileSync(require.resolve('monomove/package.json'), 'utf8')) as { version: string };

export default defineConfig({
  base: './',
  define: { __ENGINE_VERSION__: JSON.stringify(engine.version) },
  plugins: [solid(), serviceWorker(fileURLToPath(new URL('./public', import.meta.url)))],
  assetsInclude: ['**/*.mv', '**/*.mvsm', '**/*.move'],
  // The package makes its worker and finds its wasm by import.meta.url: it must not be bundled beforehand.
  optimizeDeps: { exclude: ['monomove'] },
  server: { fs: { allow: ['..'] } },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts'],
    testTimeout: 30_000,
  },
});
