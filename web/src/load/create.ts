import { abortError, abortSignal, checkKeys, integer, oneOf } from '../arguments.js';
import { attentionOver } from '../attention.js';
import createModule from '../attention-module.js';
import { Engine } from '../engine.js';
import { AttentionError, invalid, refused } from '../errors.js';
import type { Attention, LoadOptions, Variant } from '../types.js';
import { hasFusedRelaxedSimd, hasSimd } from './features.js';
import { passesSelfTest } from './self-test.js';
import { compile, isOneFile, loadFailed } from './source.js';

const pageBytes = 65536;
/** As linked: cmake/wasm.cmake. */
const initialBytes = 4 * 2 ** 20;
const maximumBytes = 4 * 2 ** 30;

/**
 * Loads the module and makes an engine with its own memory; the compiled module is shared. No side effects at import;
 * concurrent calls share one fetch; a failed load can be tried again.
 *
 * @throws AttentionError LOAD_FAILED, UNSUPPORTED_ENGINE (no SIMD, or not the variant named), ABORTED,
 * INVALID_ARGUMENT, OUT_OF_MEMORY.
 */
export async function createAttention(options?: LoadOptions): Promise<Attention> {
  const { variant, deterministic, wasm, maximumMemoryBytes, signal } = checkKeys(
    'options',
    options,
    ['variant', 'deterministic', 'wasm', 'maximumMemoryBytes', 'signal'],
    ['threads'],
  );
  const named = wantedVariant(variant, deterministic);
  const limit = integer('options.maximumMemoryBytes', maximumMemoryBytes ?? maximumBytes, initialBytes, maximumBytes);
  if (!hasSimd()) throw unsupported('this engine has no WebAssembly SIMD');
  const stop = abortSignal(signal);
  if (stop?.aborted) throw abortError(stop);
  const work = load(named, wasm, limit);
  return stop ? abortable(work, stop) : work;
}

/** Relaxed SIMD may round differently in each engine; plain SIMD has one result, down to the sign of zero. */
function wantedVariant(variant: LoadOptions['variant'], deterministic: LoadOptions['deterministic']): 'auto' | Variant {
  const named = oneOf('options.variant', variant ?? 'auto', ['auto', 'simd', 'relaxed-simd'] as const, [
    'simd-threads',
    'relaxed-simd-threads',
  ]);
  if (!oneOf('options.deterministic', deterministic ?? false, [false, true])) return named;
  if (named === 'relaxed-simd') throw refused('options.deterministic', 'true', `false beside variant '${named}'`);
  return 'simd';
}

async function load(named: 'auto' | Variant, wasm: LoadOptions['wasm'], limit: number): Promise<Attention> {
  const fused = hasFusedRelaxedSimd();
  if (named === 'relaxed-simd' && !fused) throw unsupported('this engine has no fused relaxed SIMD');
  if (named !== 'auto') return tested(await instantiate(named, wasm, limit, true));
  if (isOneFile(wasm)) return tested(await instantiate('simd', wasm, limit, false));
  if (fused) {
    const attention = await instantiate('relaxed-simd', wasm, limit, true);
    if (passesSelfTest(attention)) return attention;
    attention.dispose();
  }
  return tested(await instantiate('simd', wasm, limit, true));
}

function tested(attention: Attention): Attention {
  if (passesSelfTest(attention)) return attention;
  throw unsupported(`variant '${attention.info.variant}' fails its numerical self-test here`);
}

async function instantiate(
  variant: Variant,
  wasm: LoadOptions['wasm'],
  limit: number,
  exactly: boolean,
): Promise<Attention> {
  const module = await compile(variant, wasm);
  const memory = makeMemory(limit);
  const core = await new Promise<Awaited<ReturnType<typeof createModule>>>((resolve, reject) => {
    const failed = (cause: unknown) => reject(loadFailed('could not instantiate the module', cause));
    createModule({
      wasmMemory: memory,
      instantiateWasm(imports, done) {
        WebAssembly.instantiate(module, imports)
          .then((instance) => done(instance, module))
          .catch(failed);
        return {};
      },
    }).then(resolve, failed);
  });
  const found: Variant = core.isRelaxed() ? 'relaxed-simd' : 'simd';
  if (exactly && found !== variant) throw invalid('options.wasm', found, `the module of variant '${variant}'`);
  return attentionOver(new Engine(core, memory), found);
}

function makeMemory(limit: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: initialBytes / pageBytes, maximum: Math.floor(limit / pageBytes) });
  } catch (cause) {
    throw new AttentionError('OUT_OF_MEMORY', undefined, 'this engine could not make a WebAssembly memory', { cause });
  }
}

function unsupported(message: string): AttentionError {
  return new AttentionError('UNSUPPORTED_ENGINE', undefined, message);
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
