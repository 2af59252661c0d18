import { tried } from './tried.js';

let isTold = false;

/**
 * Gives back what was dropped without dispose(), some time after the collector has seen it; that this happens is said once,
 * where one develops. `free` says whether there was still something to give back. Hosts without a FinalizationRegistry
 * have no net.
 */
export function net<T>(free: (held: T) => boolean): Pick<FinalizationRegistry<T>, 'register' | 'unregister'> {
  if (typeof FinalizationRegistry !== 'function') return { register() {}, unregister: () => false };
  return new FinalizationRegistry((held) => {
    if (!free(held) || isTold || isProduction()) return;
    isTold = true;
    console.warn('attention-wasm: what is dropped without dispose() gives its memory back late; this is said once');
  });
}

/** Bundlers write the value in; a page without one has no process. */
function isProduction(): boolean {
  return tried(() => process.env.NODE_ENV) === 'production';
}
