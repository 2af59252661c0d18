import { invalid } from '../errors.js';
import { isModule, isResponse, isUrl } from '../realms.js';
import { bytesOf } from '../typed-arrays.js';
import type { LoadOptions, Variant } from '../types.js';
import { ownAddress } from './addresses.js';
import { loadFailed } from './failed.js';
import { isValid } from './features.js';
import { nodeModule } from './node.js';

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
  if (isModule(wasm)) return Promise.resolve(wasm);
  const bytes = bytesOf(wasm);
  if (bytes) return compileBytes({ bytes, from: 'the bytes' });
  if (isResponse(wasm)) return readResponse(wasm).then(compileBytes);
  let address: string;
  try {
    address = String(addressOf(variant, wasm));
  } catch (error) {
    return Promise.reject(error);
  }
  const known = compiled.get(address);
  if (known) return known;
  const advice = wasm === undefined ? 'options.wasm says where the files are' : undefined;
  const module = fetchBytes(address, advice).then(compileBytes);
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
  if (wasm === undefined) return ownAddress(files[variant].url, 'wasm');
  const address =
    typeof wasm === 'function' ? asked(wasm as (file: string) => string | URL, files[variant].name) : wasm;
  if (typeof address === 'string' || isUrl(address)) return address;
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

/** What came, and from where. */
interface Read {
  bytes: Uint8Array<ArrayBuffer>;
  from: string;
}

async function compileBytes({ bytes, from }: Read): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    if (isValid(bytes)) throw loadFailed(`could not compile ${from}`, cause, howWithoutCompiling);
    const count = bytes.byteLength; // 0 where they were taken away
    const first = count === 0 ? 'nothing' : beginning(bytes);
    throw loadFailed(`could not compile ${from}, ${count} bytes that begin with ${first}`, cause);
  }
}

/** Of a host in which bytes may not become code: it knows a module when it sees one, and compiles none. */
const howWithoutCompiling =
  "its policy must have 'wasm-unsafe-eval' in script-src, or options.wasm must be a WebAssembly.Module";

/** A page of HTML in a module's place is known by its first characters. */
function beginning(bytes: Uint8Array): string {
  const first = bytes.subarray(0, 16);
  const text = String.fromCharCode(...first);
  if (/^[\t\n\r -~]+$/.test(text)) return JSON.stringify(text);
  return Array.from(first, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

async function fetchBytes(address: string, advice: string | undefined): Promise<Read> {
  try {
    // Node's fetch knows no file: addresses.
    const fs = address.startsWith('file:') ? nodeModule<typeof import('node:fs')>('node:fs') : undefined;
    if (fs) return { bytes: new Uint8Array(await fs.promises.readFile(new URL(address))), from: address };
    return await contentOf(await fetch(address));
  } catch (cause) {
    throw loadFailed(`could not read ${address}`, cause, advice);
  }
}

export async function readResponse(response: Response): Promise<Read> {
  try {
    return await contentOf(response);
  } catch (cause) {
    throw loadFailed('could not read the response', cause);
  }
}

async function contentOf(response: Response): Promise<Read> {
  const from = `${response.url || 'the response'} (status ${response.status})`;
  if (!response.ok) throw new Error(`status ${response.status}`);
  const bytes = bytesOf(await response.arrayBuffer());
  if (!bytes) throw new Error('it gives no ArrayBuffer');
  return { bytes, from };
}
