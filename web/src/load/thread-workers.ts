import type { GlueWorker } from '../attention-threads-module.js';
import type { AttentionError } from '../errors.js';
import { ownAddress } from './addresses.js';
import { loadFailed } from './failed.js';
import { nodeThreads } from './node.js';

/** By this name the glue tells that it is to be a thread: cpp/bindings/node-worker.js. */
const threadName = 'em-pthread-attention';

/** The workers of one engine. */
export class ThreadWorkers {
  readonly #workers: { terminate(): unknown; unref?(): void }[] = [];
  readonly #script: string | undefined;
  #fail: ((failure: AttentionError) => void) | undefined;

  /** `script`: where it lies, if not beside this module. */
  constructor(script: string | undefined, fail: (failure: AttentionError) => void) {
    this.#script = script;
    this.#fail = fail;
  }

  make(): GlueWorker {
    const glue: GlueWorker = {
      postMessage: (message) => worker.postMessage(message),
      terminate: () => worker.terminate(),
    };
    const receive = (data: unknown) => glue.onmessage?.({ data });
    const fail = (cause: unknown) => this.#fail?.(threadFailure(cause));
    const worker = startWorker(this.#script, receive, fail);
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

type Receive = (data: unknown) => void;

function startWorker(script: string | undefined, receive: Receive, fail: (cause: unknown) => void) {
  try {
    const threads = nodeThreads();
    return threads ? nodeWorker(threads, script, receive, fail) : webWorker(script, receive, fail);
  } catch (cause) {
    throw threadFailure(cause);
  }
}

function nodeWorker(
  { Worker }: typeof import('node:worker_threads'),
  script: string | undefined,
  receive: Receive,
  fail: (cause: unknown) => void,
) {
  // Without execArgv a program given by --eval would have its workers evaluate it, too.
  const worker = new Worker(new URL(script ?? threadScript()), { workerData: threadName, execArgv: [] });
  worker.on('message', receive);
  worker.on('error', fail);
  return worker;
}

function webWorker(script: string | undefined, receive: Receive, fail: (cause: unknown) => void) {
  const address = script ?? trusted(threadScript());
  const worker = new Worker(address as string, { type: 'module', name: 'em-pthread-attention' });
  worker.addEventListener('message', ({ data }) => receive(data));
  worker.addEventListener('error', (event) => {
    event.preventDefault(); // It is reported by the promise.
    fail(event.message || `${address} did not run`);
  });
  return worker;
}

/** A literal address: bundlers copy the file by it. It imports nothing, so that the copy runs as it is. */
export function threadScript(): string {
  return ownAddress(() => new URL('../attention-threads-module.js', import.meta.url), 'threadScript').href;
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** Under require-trusted-types-for 'script' a worker takes no plain address. The policy blesses no other than this. */
function trusted(url: string): unknown {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  try {
    policy ??= trustedTypes?.createPolicy('attention-wasm', { createScriptURL: (address) => address });
  } catch {
    return url; // The name is not allowed: then the page's default policy has the last word.
  }
  return policy?.createScriptURL(url) ?? url;
}

function threadFailure(cause: unknown): AttentionError {
  return loadFailed('could not start a thread', cause);
}
