import { AttentionError, describe, invalid } from '../errors.js';
import type { LoadOptions, Variant } from '../types.js';

// Literal arguments: bundlers find and copy the files by them.
const files: Record<Variant, { name: string; url: () => URL }> = {
  simd: {
    name: 'attention-simd.wasm',
    url: () => new URL('../attention-simd.wasm', import.meta.url),
  },
  'relaxed-simd': {
    name: 'attention-relaxed-simd.wasm',
    url: () => new URL('../attention-relaxed-simd.wasm', import.meta.url),
  },
  'simd-threads': {
    name: 'attention-simd-threads.wasm',
    url: () => new URL('../attention-simd-threads.wasm', import.meta.url),
  },
  'relaxed-simd-threads': {
    name: 'attention-relaxed-simd-threads.wasm',
    url: () => new URL('../attention-relaxed-simd-threads.wasm', import.meta.url),
  },
};

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** True where `wasm` is the content or the address of one file, so that it decides the variant. */
export function isOneFile(wasm: LoadOptions['wasm']): boolean {
  return wasm !== undefined && typeof wasm !== 'function';
}

/** The compiled module of a variant. Concurrent loads of one address share a fetch; a failed one is forgotten. */
export function compile(variant: Variant, wasm: LoadOptions['wasm']): Promise<WebAssembly.Module> {
  if (wasm instanceof WebAssembly.Module) return Promise.resolve(wasm);
  if (wasm instanceof ArrayBuffer || wasm instanceof Uint8Array)
    return compileBytes(Promise.resolve(wasm as BufferSource), 'the bytes');
  if (typeof Response === 'function' && wasm instanceof Response) return compileBytes(bytesOf(wasm), 'the response');
  let address: string;
  try {
    address = String(addressOf(variant, wasm));
  } catch (cause) {
    return Promise.reject(cause instanceof AttentionError ? cause : loadFailed('options.wasm threw', cause));
  }
  const known = compiled.get(address);
  if (known) return known;
  const module = compileBytes(fetchBytes(address), address);
  compiled.set(address, module);
  module.catch(() => compiled.delete(address));
  return module;
}

function addressOf(variant: Variant, wasm: LoadOptions['wasm']): string | URL {
  if (wasm === undefined) return files[variant].url();
  const address = typeof wasm === 'function' ? wasm(files[variant].name) : wasm;
  if (typeof address === 'string' || address instanceof URL) return address;
  throw invalid(
    'options.wasm',
    address,
    'an address, bytes, a Response, a WebAssembly.Module or a function to an address',
  );
}

async function compileBytes(bytes: Promise<BufferSource>, from: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await bytes);
  } catch (cause) {
    throw loadFailed(`could not compile ${from}`, cause);
  }
}

async function fetchBytes(address: string): Promise<ArrayBuffer | Uint8Array<ArrayBuffer>> {
  const fs = address.startsWith('file:') ? nodeFileSystem() : undefined;
  if (fs) return new Uint8Array(await fs.promises.readFile(new URL(address)));
  return bytesOf(await fetch(address));
}

async function bytesOf(response: Response): Promise<ArrayBuffer> {
  if (!response.ok) throw new Error(`${response.url || 'the response'} has status ${response.status}`);
  return response.arrayBuffer();
}

/** Node's fetch knows no file: addresses. Asked for at run time, so that bundlers see no import of a Node module. */
function nodeFileSystem(): typeof import('node:fs') | undefined {
  return typeof process === 'object' ? process.getBuiltinModule?.('node:fs') : undefined;
}

export function loadFailed(what: string, cause: unknown): AttentionError {
  const why = cause instanceof Error ? cause.message : describe(cause);
  return new AttentionError('LOAD_FAILED', undefined, `${what}: ${why}`, { cause });
}
