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
  if (wasm instanceof ArrayBuffer || wasm instanceof Uint8Array) {
    return compileBytes({ bytes: wasm as Bytes, from: 'the bytes' });
  }
  if (typeof Response === 'function' && wasm instanceof Response) return compileRead(read(wasm), 'the response');
  let address: string;
  try {
    address = String(addressOf(variant, wasm));
  } catch (error) {
    return Promise.reject(error);
  }
  const known = compiled.get(address);
  if (known) return known;
  const module = compileRead(fetchBytes(address), address);
  compiled.set(address, module);
  module.catch(() => compiled.delete(address));
  return module;
}

/** Of every file, by its name. */
export function addressesOf(wasm: LoadOptions['wasm']): Record<string, string | URL> {
  const variants = Object.keys(files) as Variant[];
  return Object.fromEntries(variants.map((variant) => [files[variant].name, addressOf(variant, wasm)]));
}

function addressOf(variant: Variant, wasm: LoadOptions['wasm']): string | URL {
  if (wasm === undefined) return files[variant].url();
  const address =
    typeof wasm === 'function' ? asked(wasm as (file: string) => string | URL, files[variant].name) : wasm;
  if (typeof address === 'string' || address instanceof URL) return address;
  throw invalid(
    'options.wasm',
    address,
    'an address, bytes, a Response, a WebAssembly.Module or a function to an address',
  );
}

function asked(wasm: (file: string) => string | URL, name: string): string | URL {
  try {
    return wasm(name);
  } catch (cause) {
    throw loadFailed('options.wasm threw', cause);
  }
}

type Bytes = ArrayBuffer | Uint8Array<ArrayBuffer>;

/** What came, and from where. */
interface Read {
  bytes: Bytes;
  from: string;
}

async function compileRead(read: Promise<Read>, from: string): Promise<WebAssembly.Module> {
  let came: Read;
  try {
    came = await read;
  } catch (cause) {
    throw loadFailed(`could not read ${from}`, cause);
  }
  return compileBytes(came);
}

async function compileBytes({ bytes, from }: Read): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const count = bytes.byteLength; // 0 where they were taken away
    const first = count === 0 ? 'nothing' : beginning(bytes);
    throw loadFailed(`could not compile ${from}, ${count} bytes that begin with ${first}`, cause);
  }
}

/** A page of HTML in a module's place is known by its first characters. */
function beginning(bytes: Bytes): string {
  const first = new Uint8Array(bytes instanceof ArrayBuffer ? bytes : bytes.slice(0, 16)).subarray(0, 16);
  const text = String.fromCharCode(...first);
  if (/^[\t\n\r -~]+$/.test(text)) return JSON.stringify(text);
  return Array.from(first, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

async function fetchBytes(address: string): Promise<Read> {
  const fs = address.startsWith('file:') ? nodeFileSystem() : undefined;
  if (fs) return { bytes: new Uint8Array(await fs.promises.readFile(new URL(address))), from: address };
  return read(await fetch(address));
}

export async function read(response: Response): Promise<Read> {
  const from = `${response.url || 'the response'} (status ${response.status})`;
  if (!response.ok) throw new Error(`status ${response.status}`);
  return { bytes: await response.arrayBuffer(), from };
}

/** Node's fetch knows no file: addresses. Asked for at run time, so that bundlers see no import of a Node module. */
function nodeFileSystem(): typeof import('node:fs') | undefined {
  return typeof process === 'object' ? process.getBuiltinModule?.('node:fs') : undefined;
}

export function loadFailed(what: string, cause: unknown): AttentionError {
  const why = cause instanceof Error ? cause.message : describe(cause);
  return new AttentionError('LOAD_FAILED', undefined, `${what}: ${why}`, { cause });
}
