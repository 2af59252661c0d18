import type { GlueWorker } from '../attention-threads-module.js';
import { AttentionError, describe } from '../errors.js';

/** By this name the glue tells that it is to be a thread: cpp/bindings/node-worker.js. */
const threadName = 'em-pthread-attention';

/** A thread that could not be started: a policy in the way, or a script that is not where it should be. */
export class ThreadFailure extends AttentionError {}

/** The workers of one engine. */
export class ThreadWorkers {
  readonly #workers: { terminate(): unknown; unref?(): void }[] = [];
  #fail: ((failure: ThreadFailure) => void) | undefined;

  constructor(fail: (failure: ThreadFailure) => void) {
    this.#fail = fail;
  }

  make(): GlueWorker {
    const glue: GlueWorker = {
      postMessage: (message) => worker.postMessage(message),
      terminate: () => worker.terminate(),
    };
    const receive = (data: unknown) => glue.onmessage?.({ data });
    const fail = (cause: unknown) => this.#fail?.(threadFailure(cause));
    const worker = startWorker(receive, fail);
    this.#workers.push(worker);
    return glue;
  }

  /** Once all are there. Node.js may then end although they wait for work; and whoever waited for them is let go of. */
  started(): void {
    for (const worker of this.#workers) worker.unref?.();
    this.#fail = undefined;
  }

  terminate(): void {
    for (const worker of this.#workers.splice(0)) worker.terminate();
  }
}

export function isNode(): boolean {
  return nodeThreads() !== undefined;
}

/** Asked for at run time, so that bundlers see no import of a Node module. */
export function nodeThreads(): typeof import('node:worker_threads') | undefined {
  return typeof process === 'object' ? process.getBuiltinModule?.('node:worker_threads') : undefined;
}

type Receive = (data: unknown) => void;

function startWorker(receive: Receive, fail: (cause: unknown) => void) {
  try {
    return isNode() ? nodeWorker(receive, fail) : webWorker(receive, fail);
  } catch (cause) {
    throw threadFailure(cause);
  }
}

function nodeWorker(receive: Receive, fail: (cause: unknown) => void) {
  const { Worker } = nodeThreads() as typeof import('node:worker_threads');
  // Without execArgv a program given by --eval would have its workers evaluate it, too.
  const worker = new Worker(threadScript(), { workerData: threadName, execArgv: [] });
  worker.on('message', receive);
  worker.on('error', fail);
  return worker;
}

function webWorker(receive: Receive, fail: (cause: unknown) => void) {
  const worker = new Worker(trusted(threadScript()) as URL, { type: 'module', name: 'em-pthread-attention' });
  worker.addEventListener('message', ({ data }) => receive(data));
  worker.addEventListener('error', (event) => {
    event.preventDefault(); // It is reported by the promise.
    fail(event.message || `${threadScript()} did not run`);
  });
  return worker;
}

/** A literal address: bundlers copy the file by it. It imports nothing, so that the copy runs as it is. */
export function threadScript(): URL {
  return new URL('../attention-threads-module.js', import.meta.url);
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** Under require-trusted-types-for 'script' a worker takes no plain address. The policy blesses no other than this. */
function trusted(url: URL): unknown {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  try {
    policy ??= trustedTypes?.createPolicy('attention-wasm', { createScriptURL: (address) => address });
  } catch {
    return url; // The name is not allowed: then the page's default policy has the last word.
  }
  return policy?.createScriptURL(url.href) ?? url;
}

function threadFailure(cause: unknown): ThreadFailure {
  const why = cause instanceof Error ? cause.message : describe(cause);
  return new ThreadFailure('LOAD_FAILED', undefined, `could not start a thread: ${why}`, { cause });
}
