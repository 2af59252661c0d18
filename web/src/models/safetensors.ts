import { AttentionError, describe } from '../errors.js';
import type { FileTensor } from './types.js';
import { checkBytes, otherFormat } from './wrong-files.js';

/** The format's own limit for its header, in bytes. */
const longestHeader = 100_000_000;

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

type TypedArray = FileTensor['data'];
interface ArrayOf {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
}

/** A tensor's name in a message: whole, unless it is longer than any that has a meaning. */
export const quoted = (name: string): string => `'${name.length > 100 ? `${name.slice(0, 100)}…` : name}'`;

/** What each element type of the format is called here, and the array of its values as they are stored. */
const dtypes: Record<string, { dtype: FileTensor['dtype']; array: ArrayOf }> = {
  F64: { dtype: 'float64', array: Float64Array },
  F32: { dtype: 'float32', array: Float32Array },
  F16: { dtype: 'float16', array: Uint16Array },
  BF16: { dtype: 'bfloat16', array: Uint16Array },
  I64: { dtype: 'int64', array: BigInt64Array },
  I32: { dtype: 'int32', array: Int32Array },
  I8: { dtype: 'int8', array: Int8Array },
  U8: { dtype: 'uint8', array: Uint8Array },
  BOOL: { dtype: 'bool', array: Uint8Array },
};

/**
 * Reads a .safetensors file (Hugging Face's format): 8 bytes of header length, a JSON header of at most 100,000,000
 * bytes, and the tensors' bytes without gap or overlap. The result has no prototype, so that any name is a plain key.
 *
 * @param bytes The whole file; the tensors are views of it where they are aligned.
 * @throws AttentionError CORRUPT_FILE on anything malformed, saying what it is if it is a page, a Git LFS pointer, an
 * index of shards, or a file of PyTorch, ONNX, GGUF or Keras; UNSUPPORTED_DTYPE, naming the tensor, for any type but
 * F64, F32, F16, BF16, I64, I32, I8, U8 and BOOL; INVALID_ARGUMENT if bytes is neither an ArrayBuffer nor a Uint8Array.
 */
export function readSafetensors(bytes: ArrayBuffer | Uint8Array): Record<string, FileTensor> {
  const file = checkBytes('bytes', bytes);
  const other = otherFormat(file);
  if (other) throw corrupt(other);
  const { header, data } = split(file);
  const tensors: Record<string, FileTensor> = Object.create(null);
  let end = 0;
  for (const [name, entry] of sortedEntries(header)) {
    const [start, stop] = entry.data_offsets;
    if (start !== end) throw corrupt(`tensor ${quoted(name)} starts at byte ${start} of the data, wanted ${end}`);
    end = stop;
    tensors[name] = readTensor(name, entry, data);
  }
  if (end !== data.length) throw corrupt(`the tensors take ${end} bytes, but the data has ${data.length}`);
  return tensors;
}

function split(file: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (file.length < 8) throw corrupt(`got ${file.length} bytes, wanted at least 8`);
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  if (length > longestHeader) throw corrupt(`the header claims ${length} bytes, more than the format allows`);
  if (length > file.length - 8) throw corrupt(`the header claims ${length} bytes, but ${file.length - 8} follow`);
  return { header: parseHeader(file.subarray(8, 8 + length)), data: file.subarray(8 + length) };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw corrupt("the header does not begin with '{'");
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(aligned(bytes)); // no view of shared memory
    header = JSON.parse(text);
  } catch (cause) {
    throw corrupt('the header is not JSON', cause);
  }
  if (!isRecord(header)) throw corrupt('the header is not an object');
  refuseDuplicateKeys(text);
  const metadata = header.__metadata__ ?? undefined;
  if (metadata !== undefined) {
    const isText = isRecord(metadata) && Object.values(metadata).every((value) => typeof value === 'string');
    if (!isText) throw corrupt('__metadata__ is not a map from text to text');
  }
  return header;
}

/**
 * JSON.parse keeps the last of equal keys and says nothing; another reader may keep the first. Looks at the names and at what their
 * entries say of them, in one walk over text that is known to be JSON.
 */
function refuseDuplicateKeys(text: string): void {
  const keysAt = [new Set<string>(), new Set<string>()];
  let [depth, start, end, isInString] = [0, 0, 0, false];
  for (const { 0: token, index } of text.matchAll(/\\.|["{}[\]:]/g)) {
    if (token === '"') {
      if (isInString) end = index + 1;
      else start = index;
      isInString = !isInString;
    } else if (isInString) {
      // Whatever stands in a string, escaped quotes among it.
    } else if (token === '{' || token === '[') keysAt[depth++]?.clear();
    else if (token !== ':') depth--;
    else if (depth <= 2) refuseTwice(keysAt[depth - 1] as Set<string>, JSON.parse(text.slice(start, end)));
  }
}

function refuseTwice(keys: Set<string>, key: string): void {
  if (keys.has(key)) throw corrupt(`the name ${quoted(key)} stands twice in the header`);
  keys.add(key);
}

function sortedEntries(header: Record<string, unknown>): [string, Entry][] {
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => [name, checkEntry(name, entry)] as [string, Entry])
    .sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
}

function checkEntry(name: string, entry: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  const isEntry = typeof dtype === 'string' && isSizes(shape) && isSizes(offsets) && offsets.length === 2;
  if (!isEntry) throw corrupt(`tensor ${quoted(name)} wants a dtype, a shape and two data_offsets`);
  return { dtype, shape, data_offsets: [offsets[0] as number, offsets[1] as number] };
}

function readTensor(name: string, { dtype, shape, data_offsets: [start, stop] }: Entry, data: Uint8Array): FileTensor {
  if (!Object.hasOwn(dtypes, dtype)) {
    const wanted = Object.keys(dtypes).join(', ');
    throw new AttentionError(
      'UNSUPPORTED_DTYPE',
      'bytes',
      `tensor ${quoted(name)} is ${describe(dtype)}, wanted ${wanted}`,
    );
  }
  const type = dtypes[dtype] as (typeof dtypes)[string];
  const bytes = shape.reduce((product, dim) => product * dim, type.array.BYTES_PER_ELEMENT);
  if (stop - start !== bytes || stop > data.length) {
    const axes = shape.length > 8 ? `${shape.slice(0, 8)},…` : shape;
    throw corrupt(`tensor ${quoted(name)} of shape [${axes}] has bytes ${start}..${stop} of ${data.length}`);
  }
  return { data: valuesIn(data.subarray(start, stop), type.array), shape, dtype: type.dtype };
}

/** A view where the bytes are aligned, a copy elsewhere. */
function valuesIn(bytes: Uint8Array, array: ArrayOf): TypedArray {
  const size = array.BYTES_PER_ELEMENT;
  const { buffer, byteOffset, length } = bytes.byteOffset % size === 0 ? bytes : aligned(bytes);
  return new array(buffer, byteOffset, length / size);
}

function aligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);
}

function corrupt(message: string, cause?: unknown): AttentionError {
  return new AttentionError('CORRUPT_FILE', 'bytes', message, { cause });
}
