// What an object of the platform is, whichever realm made it: a frame, a vm context and a test's window have classes of
// their own, which `instanceof` does not know.

const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get as (
  this: unknown,
) => number;

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    byteLengthOf.call(value);
    return true;
  } catch {
    return false;
  }
}

export function isModule(value: unknown): value is WebAssembly.Module {
  try {
    WebAssembly.Module.imports(value as WebAssembly.Module);
    return true;
  } catch {
    return false;
  }
}

export function isResponse(value: unknown): value is Response {
  return looksLike(value, 'Response', { status: 'number', arrayBuffer: 'function' });
}

export function isUrl(value: unknown): value is URL {
  return looksLike(value, 'URL', { href: 'string' });
}

export function isAbortSignal(value: unknown): value is AbortSignal {
  const types = { aborted: 'boolean', addEventListener: 'function', removeEventListener: 'function' };
  return looksLike(value, 'AbortSignal', types);
}

/** The name that an object gives itself; none of a revoked proxy. */
export function nameOf(value: unknown): string | undefined {
  try {
    return Object.prototype.toString.call(value).slice('[object '.length, -1);
  } catch {
    return undefined;
  }
}

/** Such classes say who they are by name alone. A proxy of one has its name, but none of its properties to give. */
function looksLike(value: unknown, name: string, types: Record<string, string>): boolean {
  if (nameOf(value) !== name) return false;
  try {
    return Object.entries(types).every(([key, type]) => typeof (value as Record<string, unknown>)[key] === type);
  } catch {
    return false;
  }
}
