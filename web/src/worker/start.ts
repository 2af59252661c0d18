import { abortError, abortSignal, checkKeys } from '../arguments.js';
import { AttentionError, describe, invalid, messageOf } from '../errors.js';
import { absolute, scriptAddress } from '../load/addresses.js';
import { loadKeys } from '../load/create.js';
import { loadFailed } from '../load/failed.js';
import { nodeThreads } from '../load/node.js';
import { addressesOf, isOneFile, readResponse } from '../load/source.js';
import { isModule, isResponse } from '../realms.js';
import { bytesOf } from '../typed-arrays.js';
import type { Attention, LoadOptions } from '../types.js';
import { asyncAttention } from './async-attention.js';
import { errorOf, Link } from './link.js';
import type { Start, Started } from './messages.js';
import type { AsyncAttention, WorkerLoadOptions } from './types.js';

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
  const given = checkKeys('options', options, [...loadKeys, 'worker']);
  const { worker: make, signal, wasm, threadScript, ...rest } = given;
  if (make !== undefined && typeof make !== 'function') throw invalid('options.worker', make, 'a function');
  const script = scriptAddress(threadScript);
  const stop = abortSignal(signal);
  if (stop?.aborted) throw abortError(stop);
  const content = await resolved(wasm);
  if (stop?.aborted) throw abortError(stop);
  const failed = (cause: unknown) =>
    loadFailed('could not start a worker', cause, make ? undefined : 'options.worker may make one in another way');
  const { worker, port1, port2 } = startWorker(make, failed);
  const link = new Link(port1, () => worker.terminate());
  let abort = () => {};
  let isStarted = false;
  const ended = new Promise<never>((_, reject) => {
    const fail = (cause: unknown) => {
      const error = isStarted ? gone(cause) : failed(cause);
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
    send(worker, { port: port2, options: { ...rest, ...(script && { threadScript: script }) }, wasm: content });
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

function startWorker(make: WorkerLoadOptions['worker'], failed: (cause: unknown) => AttentionError) {
  try {
    const { port1, port2 } = new MessageChannel();
    const worker = (make ?? ownWorker)() as AnyWorker | undefined;
    if (typeof worker?.postMessage !== 'function') throw new Error(`options.worker gave ${describe(worker)}`);
    return { worker, port1, port2 };
  } catch (cause) {
    throw failed(cause);
  }
}

function ownWorker() {
  const threads = nodeThreads();
  // Without execArgv a program given by --eval would have its workers evaluate it, too.
  if (threads) return new threads.Worker(new URL('../worker-entry.js', import.meta.url), { execArgv: [] });
  // As bundlers know it, to the letter.
  return new Worker(new URL('../worker-entry.js', import.meta.url), { type: 'module' });
}

function send(worker: AnyWorker, start: Start): void {
  try {
    worker.postMessage(start, [start.port]);
  } catch (cause) {
    throw new AttentionError('INVALID_ARGUMENT', 'options', 'got a value that cannot be sent to a worker', { cause });
  }
}

/** As the worker can read it: addresses in full, by the files' names where a function says them, or content. */
async function resolved(wasm: LoadOptions['wasm']): Promise<Start['wasm']> {
  if (wasm === undefined || isModule(wasm)) return wasm;
  const bytes = bytesOf(wasm) ?? (isResponse(wasm) ? (await readResponse(wasm)).bytes : undefined);
  if (bytes) return bytes.slice();
  const addresses = Object.entries(addressesOf(wasm)).map(([name, address]) => [name, absolute(address)] as const);
  return isOneFile(wasm) ? addresses[0]?.[1] : Object.fromEntries(addresses);
}

/** A worker that others ended, or whose memory the system took. */
function gone(cause: unknown): AttentionError {
  return new AttentionError('DISPOSED', undefined, `the worker is gone: ${messageOf(cause)}`, { cause });
}
