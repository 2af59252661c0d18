import { abortError } from './arguments.js';
import { tried } from './tried.js';

/** The same, or ABORTED as soon as the signal says so. */
export function unlessAborted<T>(promise: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return Promise.resolve(promise);
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortError(signal));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Lets other tasks of the event loop run, messages of other threads among them. By a message port: timers are clamped to
 * milliseconds in pages. Deno takes messages of its own thread first, and those of others with its timers. Edge runtimes
 * have no message ports, and workerd no timers before a request: without either only what is ready runs.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const ways = 'Deno' in globalThis ? [byTimer] : [byMessage, byTimer];
    // Hosts refuse by a name that is not there, or by a function that throws.
    if (!ways.some((way) => tried(() => way(resolve)))) resolve();
  });
}

function byMessage(resolve: () => void): true {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(undefined);
  return true;
}

function byTimer(resolve: () => void): true {
  setTimeout(resolve, 0);
  return true;
}
