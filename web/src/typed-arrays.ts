// What an array is by the engine's own word: subclasses, own properties and proxies may say anything of themselves.
const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const [tagOf, bufferOf, byteOffsetOf, lengthOf] = [Symbol.toStringTag, 'buffer', 'byteOffset', 'length'].map(
  (name) => Object.getOwnPropertyDescriptor(typedArray, name)?.get,
) as [Getter<string | undefined>, Getter<ArrayBuffer>, Getter<number>, Getter<number>];
type Getter<T> = (this: object) => T;

/** What reads the memory of each: halves as their bits. */
const views = {
  Float32Array,
  Float64Array,
  Float16Array: Uint16Array,
  Uint16Array,
  Int32Array,
  Int8Array,
  Uint8Array,
  BigInt64Array,
} as unknown as Record<string, Uint16ArrayConstructor>;
export type NumberArray = Float32Array | Float64Array | Uint16Array | Int32Array | Int8Array | Uint8Array;
export type PlainArray = NumberArray | BigInt64Array;

/**
 * The name of a typed array's type, and a view of the same memory that is no subclass: of none where it was taken away.
 * Engines without Float16Array have stand-ins, which go by their name.
 */
export function plain(data: object): { kind: string | undefined; array: PlainArray } {
  const tag = tagOf.call(data);
  const kind = tag ?? /Float16Array/.exec(Object.prototype.toString.call(data))?.[0];
  const View = views[kind as string] ?? Uint16Array;
  try {
    const { buffer, byteOffset, length } = tag
      ? { buffer: bufferOf.call(data), byteOffset: byteOffsetOf.call(data), length: lengthOf.call(data) }
      : (data as Uint16Array);
    return { kind, array: new View(buffer, byteOffset, length) };
  } catch {
    return { kind, array: new View() };
  }
}
