/** A Vite plugin that writes the service worker: it keeps every file of this build, so that the playground works offline after the first load. */

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { Plugin } from 'vite';

/** The script; `FILES` and `VERSION` are put in front of it. */
const SCRIPT = `
const CACHE = 'monomove-' + VERSION;

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' })))).then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches.keys()
      .then((keys) => Promise.all(keys.filter((key) => key.startsWith('monomove-') && key !== CACHE).map((key) => caches.delete(key))))
      .then(() => self.clients.claim()),
  );
});

// A file is the same whoever asks for it: what it varies by is of no interest. Files of the build have their hash in their names: what is kept is right. The page itself comes from the net when there is one.
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    event.respondWith(fetch(request).catch(() => caches.match('./', { ignoreSearch: true, ignoreVary: true, cacheName: CACHE })));
    return;
  }
  event.respondWith(caches.match(request, { ignoreVary: true, cacheName: CACHE }).then((kept) => kept ?? fetch(request)));
});
`;

export function serviceWorker(publicDirectory: string): Plugin {
  return {
    name: 'monomove-service-worker',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files = Object.keys(bundle).filter((name) => !name.endsWith('.map') && name !== 'index.html');
        const kept = ['./', ...files, ...readdirSync(publicDirectory)].sort();
        const hash = createHash('sha256').update(JSON.stringify(kept));
        for (const file of Object.values(bundle)) hash.update(file.type === 'chunk' ? file.code : file.source);
        const version = hash.digest('hex').slice(0, 16);
        this.emitFile({
          type: 'asset',
          fileName: 'sw.js',
          source: `const VERSION = '${version}';\nconst FILES = ${JSON.stringify(kept)};\n${SCRIPT}`,
        });
      },
    },
  };
}
