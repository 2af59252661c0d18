import { tried } from './tried.js';

// What an object of the platform is, whichever realm made it: a frame, a vm context and a test's window have classes of
// their own, which `instanceof` does not know. Built-in functions know theirs, and no property can lie to them.

const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get as (
  this: unknown,
) => number;

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return tried(() => byteLengthOf.call(value)) !== undefined;
}

export function isModule(value: unknown): value is WebAssembly.Module {
  return tried(() => WebAssembly.Module.imports(value as WebAssembly.Module)) !== undefined;
}

export function isResponse(value: unknown): value is Response {
  return looksLike(value, 'Response', 'arrayBuffer', 'function');
}

export function isUrl(value: unknown): value is URL {
  return looksLike(value, 'URL', 'href', 'string');
}

export function isAbortSignal(value: unknown): value is AbortSignal {
  return looksLike(value, 'AbortSignal', 'addEventListener', 'function');
}

/** The name that an object gives itself; none of a revoked proxy. */
export function nameOf(value: unknown): string | undefined {
  return tried(() => Object.prototype.toString.call(value).slice('[object '.length, -1));
}

/** Such classes say who they are by name alone. A proxy of one has its name, but may have none of its properties. */
function looksLike(value: unknown, name: string, key: string, type: string): boolean {
  return nameOf(value) === name && tried(() => typeof (value as Record<string, unknown>)[key]) === type;
}
