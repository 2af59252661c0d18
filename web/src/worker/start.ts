import { abortError, abortSignal, checkKeys } from '../arguments.js';
import { AttentionError, describe, invalid } from '../errors.js';
import { addressesOf, isOneFile, read } from '../load/source.js';
import { nodeThreads } from '../load/thread-workers.js';
import type { Attention, LoadOptions } from '../types.js';
import { asyncAttention } from './async-attention.js';
import { errorOf, Link } from './link.js';
import type { Start, Started } from './messages.js';
import type { AsyncAttention, WorkerLoadOptions } from './types.js';

const loadKeys = ['variant', 'threads', 'deterministic', 'wasm', 'maximumMemoryBytes', 'signal', 'worker'];

/** What both kinds of workers have, as far as they are known by it. */
interface AnyWorker {
  postMessage(message: unknown, transfer: unknown[]): void;
  terminate(): unknown;
  addEventListener?(type: 'error', listener: (event: Event) => void): void;
  on?(type: 'error' | 'exit', listener: (cause: unknown) => void): void;
  unref?(): void;
}

/**
 * One engine in one new worker. `wasm` is resolved on the calling side; `threads: 'auto'` may use threads, since a
 * worker may wait.
 *
 * @param options As of createAttention(), and `worker`: the package's own module worker by default.
 * @throws AttentionError as createAttention() does; LOAD_FAILED where the worker does not start.
 */
export async function createAttentionWorker(options?: WorkerLoadOptions): Promise<AsyncAttention> {
  const { worker: make, signal, wasm, ...rest } = checkKeys('options', options, loadKeys);
  if (make !== undefined && typeof make !== 'function') throw invalid('options.worker', make, 'a function');
  const stop = abortSignal(signal);
  if (stop?.aborted) throw abortError(stop);
  const content = await resolved(wasm);
  if (stop?.aborted) throw abortError(stop);
  const worker = startWorker(make);
  const { port1, port2 } = new MessageChannel();
  const link = new Link(port1, () => worker.terminate());
  let abort = () => {};
  let isStarted = false;
  const ended = new Promise<never>((_, reject) => {
    const fail = (cause: unknown) => {
      const error = isStarted ? gone(cause) : loadFailed(cause);
      link.end(error);
      reject(error);
    };
    worker.on?.('error', fail);
    // Browsers tell nobody that a worker was ended. What it has sent may come after its end.
    worker.on?.('exit', (code) => setTimeout(fail, 50, new Error(`it ended with exit code ${code}`)));
    worker.addEventListener?.('error', (event) => {
      event.preventDefault(); // It is reported by the promise.
      fail((event as ErrorEvent).message || 'its script did not run');
    });
    abort = () => {
      link.end(abortError(stop as AbortSignal));
      reject(abortError(stop as AbortSignal));
    };
    stop?.addEventListener('abort', abort, { once: true });
  });
  ended.catch(() => {});
  try {
    const started = link.started();
    worker.postMessage({ port: port2, options: rest, wasm: content } satisfies Start, [port2]);
    const answer = await Promise.race([started, ended]);
    isStarted = true;
    worker.unref?.();
    return asyncAttention(link, infoOf(answer));
  } catch (error) {
    link.end(new AttentionError('DISPOSED', undefined, 'this worker did not start'));
    throw error;
  } finally {
    stop?.removeEventListener('abort', abort);
  }
}

function infoOf(answer: Started): Attention['info'] {
  if (answer.kind === 'failed') throw errorOf(answer.error, undefined);
  return answer.info;
}

function startWorker(make: WorkerLoadOptions['worker']): AnyWorker {
  try {
    if (make) return make() as AnyWorker;
    const threads = nodeThreads();
    // Without execArgv a program given by --eval would have its workers evaluate it, too.
    if (threads)
      return new threads.Worker(new URL('../worker-entry.js', import.meta.url), { execArgv: [] }) as AnyWorker;
    // As bundlers know it, to the letter.
    return new Worker(new URL('../worker-entry.js', import.meta.url), { type: 'module' }) as AnyWorker;
  } catch (cause) {
    throw loadFailed(cause);
  }
}

/** As the worker can read it: addresses in full, by the files' names where a function says them, or content. */
async function resolved(wasm: LoadOptions['wasm']): Promise<Start['wasm']> {
  if (typeof Response === 'function' && wasm instanceof Response) return (await read(wasm)).bytes;
  if (wasm === undefined || wasm instanceof WebAssembly.Module) return wasm;
  if (wasm instanceof ArrayBuffer || wasm instanceof Uint8Array) return wasm.slice();
  const addresses = Object.entries(addressesOf(wasm)).map(([name, address]) => [name, absolute(address)] as const);
  return isOneFile(wasm) ? addresses[0]?.[1] : Object.fromEntries(addresses);
}

function absolute(address: string | URL): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return base === undefined ? String(address) : new URL(address, base).href;
}

/** A worker that others ended, or whose memory the system took. */
function gone(cause: unknown): AttentionError {
  const why = cause instanceof Error ? cause.message : describe(cause);
  return new AttentionError('DISPOSED', undefined, `the worker is gone: ${why}`, { cause });
}

function loadFailed(cause: unknown): AttentionError {
  const why = cause instanceof Error ? cause.message : describe(cause);
  return new AttentionError('LOAD_FAILED', undefined, `could not start a worker: ${why}`, { cause });
}
