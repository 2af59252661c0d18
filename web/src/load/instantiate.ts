import createModule, { type Core, type Settings } from '../attention-module.js';
import { AttentionError } from '../errors.js';
import { loadFailed } from './failed.js';
import { ThreadWorkers, threadScript } from './thread-workers.js';

const pageBytes = 65536;
/** As linked: cmake/wasm.cmake. */
export const initialBytes = 4 * 2 ** 20;
/** A thread's stack, as linked, with what lies around it. */
const threadBytes = 2 ** 18;
/** What a shared memory is given where the whole limit cannot be reserved, at the least. */
const leastShared = 2 ** 28;

export interface Instance {
  core: Core;
  memory: WebAssembly.Memory;
  workers?: ThreadWorkers;
}

/** How many threads a memory limit has room for. */
export function roomForThreads(limit: number): number {
  return 1 + Math.floor((limit - initialBytes) / threadBytes);
}

/** An instance of the module with a memory of its own, and with its threads started, of `script` if that is given. */
export async function instantiate(
  module: WebAssembly.Module,
  threads: number,
  limit: number,
  script: string | undefined,
): Promise<Instance> {
  if (!WebAssembly.Module.imports(module).some(({ kind }) => kind === 'memory')) {
    throw loadFailed('could not instantiate the module', 'it is another one, which imports no memory');
  }
  const memory = makeMemory(threads, limit);
  if (threads === 1) return { core: await settle(module, memory, createModule), memory };
  let fail!: (failure: unknown) => void;
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const workers = new ThreadWorkers(script, fail);
  try {
    const glue = await threadGlue(script ?? threadScript());
    const create: Create = (settings) => glue({ ...settings, poolSize: threads - 1, makeWorker: () => workers.make() });
    const core = await Promise.race([settle(module, memory, create), failure]);
    core.startThreads?.(threads);
    workers.started();
    return { core, memory, workers };
  } catch (error) {
    workers.terminate();
    throw error instanceof AttentionError ? error : loadFailed('could not start threads', error);
  }
}

/** Where cpp/bindings/glue-by-name.js puts the glue for a bundler that takes its export away. */
const glueName = Symbol.for('attention-wasm threads');
type Glue = typeof import('../attention-threads-module.js');
type Create = (settings: Settings) => Promise<Core>;

/**
 * The glue, asked for only now since most engines have one thread, and by the address that its workers have: a bundler
 * that followed the import would put a second copy into the page, or into a worker that is to be one file.
 */
async function threadGlue(address: string): Promise<Glue['default']> {
  const glue = import(/* @vite-ignore */ /* webpackIgnore: true */ address) as Promise<Glue>;
  const exported = await glue.catch((cause: unknown) => {
    throw loadFailed(`could not load ${address}`, cause);
  });
  return exported.default ?? (globalThis as { [glueName]?: Glue['default'] })[glueName];
}

function settle(module: WebAssembly.Module, memory: WebAssembly.Memory, create: Create): Promise<Core> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => reject(loadFailed('could not instantiate the module', cause));
    try {
      create({
        wasmMemory: memory,
        instantiateWasm(imports, done) {
          WebAssembly.instantiate(module, imports)
            .then((instance) => done(instance, module))
            .catch(failed);
          return {};
        },
      }).then(resolve, failed);
    } catch (cause) {
      failed(cause); // The glue begins with what it needs of the host, as TextDecoder.
    }
  });
}

function makeMemory(threads: number, limit: number): WebAssembly.Memory {
  const shared = threads > 1;
  const initial = (initialBytes + (threads - 1) * threadBytes) / pageBytes;
  for (let most = limit; ; most /= 2) {
    try {
      return new WebAssembly.Memory({ initial, maximum: Math.floor(most / pageBytes), shared });
    } catch (cause) {
      // A shared memory cannot move, so all that it may grow to is reserved.
      if (shared && most / 2 >= leastShared) continue;
      throw new AttentionError('OUT_OF_MEMORY', undefined, 'this engine could not make a WebAssembly memory', {
        cause,
      });
    }
  }
}
