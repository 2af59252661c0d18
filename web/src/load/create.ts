import { abortError, abortSignal, checkKeys, integer, oneOf } from '../arguments.js';
import { attentionOver } from '../attention.js';
import { Engine } from '../engine.js';
import { AttentionError, invalid, refused } from '../errors.js';
import { isModule } from '../realms.js';
import type { Attention, LoadOptions, Variant } from '../types.js';
import { scriptAddress } from './addresses.js';
import { loadFailed } from './failed.js';
import { hasFusedRelaxedSimd, hasRelaxedSimd, hasSimd } from './features.js';
import { initialBytes, instantiate, roomForThreads } from './instantiate.js';
import { selfTestFailure } from './self-test.js';
import { compile, isOneFile } from './source.js';
import { type Threads, wantedThreads } from './threads.js';

const maximumBytes = 4 * 2 ** 30;

export const loadKeys = [
  'variant',
  'threads',
  'threadScript',
  'deterministic',
  'wasm',
  'maximumMemoryBytes',
  'signal',
] as const;

/** What the instructions of a variant are, with or without threads. */
type Instructions = 'simd' | 'relaxed-simd';

interface Wanted {
  instructions: 'auto' | Instructions;
  wasm: LoadOptions['wasm'];
  threadScript: string | undefined;
  limit: number;
  engineClass: typeof Engine;
}

/**
 * Loads the module and makes an engine with its own memory; the compiled module is shared. No side effects at import;
 * concurrent calls share one fetch; a failed load can be tried again.
 *
 * @param options Default: one thread, the fastest variant that passes its self-test here, from the files beside this
 * module, with up to 4 GiB.
 * @throws AttentionError LOAD_FAILED, UNSUPPORTED_ENGINE (no SIMD, no threads where more than one is asked for, or not
 * the variant named), ABORTED, INVALID_ARGUMENT, OUT_OF_MEMORY.
 */
export function createAttention(options?: LoadOptions): Promise<Attention> {
  return createOver(Engine, options);
}

/** @internal The same over engines of another class. */
export async function createOver(engineClass: typeof Engine, options?: LoadOptions): Promise<Attention> {
  const given = checkKeys('options', options, loadKeys);
  const { variant, threads, deterministic, wasm, maximumMemoryBytes, signal } = given;
  const named = oneOf('options.variant', variant ?? 'auto', [
    'auto',
    'simd',
    'relaxed-simd',
    'simd-threads',
    'relaxed-simd-threads',
  ] as const);
  const instructions = wantedInstructions(named, deterministic);
  const limit = integer('options.maximumMemoryBytes', maximumMemoryBytes ?? maximumBytes, initialBytes, maximumBytes);
  const crew = wantedThreads(threads, named, roomForThreads(limit));
  const threadScript = scriptAddress(given.threadScript);
  refuseMissing(instructions, wasm);
  const stop = abortSignal(signal);
  if (stop?.aborted) throw abortError(stop);
  const work = loadWith(crew, { instructions, wasm, threadScript, limit, engineClass });
  return stop ? abortable(work, stop) : work;
}

/** Relaxed SIMD may round differently in each engine; plain SIMD has one result, down to the sign of zero. */
function wantedInstructions(
  named: 'auto' | Variant,
  deterministic: LoadOptions['deterministic'],
): Wanted['instructions'] {
  const instructions = named.replace('-threads', '') as Wanted['instructions'];
  if (!oneOf('options.deterministic', deterministic ?? false, [false, true])) return instructions;
  if (instructions !== 'relaxed-simd') return 'simd';
  throw refused('options.deterministic', 'true', `false beside variant '${named}'`);
}

/** What is not in this engine; a module that it has compiled shows that all is. */
function refuseMissing(instructions: Wanted['instructions'], wasm: LoadOptions['wasm']): void {
  if (isModule(wasm)) return;
  if (!hasSimd()) throw unsupported('this engine has no WebAssembly SIMD');
  if (instructions === 'relaxed-simd' && !hasRelaxedSimd()) throw unsupported('this engine has no relaxed SIMD');
}

async function loadWith(threads: Threads, asked: Wanted): Promise<Attention> {
  const oneFile = isOneFile(asked.wasm);
  // Read once: a response cannot be read again.
  const wanted = oneFile ? { ...asked, wasm: await compile('simd', asked.wasm) } : asked;
  try {
    return await load(threads, wanted);
  } catch (error) {
    if (!(threads.mayBeOne && threads.count > 1 && error instanceof AttentionError)) throw error;
    // A file that was given is for several threads or it is not.
    const isForOne = oneFile && error.argument === 'options.wasm';
    const reason = isForOne ? 'options.wasm is a module of one thread' : error.message;
    return load({ count: 1, reason, mayBeOne: true }, wanted);
  }
}

async function load(threads: Threads, wanted: Wanted): Promise<Attention> {
  const { instructions, wasm } = wanted;
  if (instructions !== 'auto') return tested(await engine(instructions, threads, wanted));
  if (isOneFile(wasm)) return tested(await engine('simd', threads, wanted, true));
  if (hasFusedRelaxedSimd()) {
    const attention = await engine('relaxed-simd', threads, wanted);
    if (!selfTestFailure(attention)) return attention;
    attention.dispose();
  }
  return tested(await engine('simd', threads, wanted));
}

function tested(attention: Attention): Attention {
  const failure = selfTestFailure(attention);
  if (!failure) return attention;
  attention.dispose();
  throw unsupported(`variant '${attention.info.variant}' fails its numerical self-test here`, failure);
}

async function engine(
  instructions: Instructions,
  { count, reason }: Threads,
  { wasm, threadScript, limit, engineClass }: Wanted,
  whichever = false,
): Promise<Attention> {
  const variantOf = (kind: Instructions): Variant => (count > 1 ? `${kind}-threads` : kind);
  const variant = variantOf(instructions);
  const module = await compile(variant, wasm);
  const { core, memory, workers } = await instantiate(module, count, limit, threadScript).catch((error: unknown) => {
    // Variants with and without threads import different things.
    const misfit =
      wasm !== undefined && error instanceof AttentionError && error.cause instanceof WebAssembly.LinkError;
    throw misfit ? refused('options.wasm', 'another module', `the module of variant '${variant}'`) : error;
  });
  let found: Variant;
  let attention: Attention;
  try {
    found = variantOf(core.isRelaxed() ? 'relaxed-simd' : 'simd');
    attention = attentionOver(new engineClass(core, memory, workers), {
      variant: found,
      threads: count,
      threadsReason: reason,
    });
  } catch (cause) {
    // A module whose bytes have changed.
    workers?.terminate();
    throw loadFailed('could not use the module', cause);
  }
  if (whichever || found === variant) return attention;
  attention.dispose();
  throw invalid('options.wasm', found, `the module of variant '${variant}'`);
}

function unsupported(message: string, options?: { cause?: unknown }): AttentionError {
  return new AttentionError('UNSUPPORTED_ENGINE', undefined, message, options);
}

/** Loads are shared, so an abort leaves the work alone and only stops waiting for it. */
function abortable(work: Promise<Attention>, signal: AbortSignal): Promise<Attention> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(abortError(signal));
      work.then(
        (attention) => attention.dispose(),
        () => {},
      );
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
