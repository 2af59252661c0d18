import { scriptUrl } from './trusted';

/**
 * Makes later visits need no network. To be called once the page is ready: nothing then competes with the weights, and
 * what is kept was just loaded.
 */
export async function registerServiceWorker(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  // Browsers refuse it in some private windows, and where storage is off.
  await navigator.serviceWorker.register(scriptUrl('./sw.js')).catch(() => {});
}
