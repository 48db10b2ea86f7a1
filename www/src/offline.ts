/** Keeping the playground for times without a network. */

let asked = false;

/** Registers the service worker, once. To be called when the first screen is there: it fetches every file of the build. */
export function keepOffline(): void {
  if (asked || !import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  asked = true;
  // Without it (a private window, an insecure origin) the page works as long as there is a network.
  navigator.serviceWorker.register('./sw.js').catch(() => undefined);
}
