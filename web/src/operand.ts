import { onData, onShape, onTensor } from './advice.js';
import { checkKeys, integers, isArrayLike } from './arguments.js';
import { AttentionError, describe, invalid, refused } from './errors.js';
import { layoutOf, rowMajor } from './strided.js';
import { PackedWeight, panelsOf, ResidentTensor } from './tensor.js';
import { type NumberArray, type PlainArray, plain } from './typed-arrays.js';
import type { DType, TensorLike } from './types.js';
import { onUnknownValue } from './words.js';

/** An input as a call needs it: a shape, an element type of the core, and where the values are. */
export interface Operand {
  readonly argument: string;
  readonly shape: readonly number[];
  /** Panels: the memory of a PackedWeight. */
  readonly dtype: DType | 'panels' | 'panels8';
  /** The element type it came with: float64 and bfloat16 are held as float32, int64 and uint8 as int32. */
  readonly given: string;
  readonly values: NumberArray | ResidentTensor;
}

export const bytesPerElement = { float32: 4, float16: 2, int8: 1, int32: 4, bool: 1, panels: 4, panels8: 1 } as const;

export const maxRank = 8;

/** Sizes travel as 32-bit words. */
const largestSize = 0xffffffff;

/** What each public element type is held as, and the arrays that carry it. */
const sources: Record<string, { dtype: DType; arrays: readonly string[] }> = {
  float32: { dtype: 'float32', arrays: ['Float32Array'] },
  float64: { dtype: 'float32', arrays: ['Float64Array'] },
  float16: { dtype: 'float16', arrays: ['Uint16Array', 'Float16Array'] },
  bfloat16: { dtype: 'float32', arrays: ['Uint16Array'] },
  int8: { dtype: 'int8', arrays: ['Int8Array'] },
  uint8: { dtype: 'int32', arrays: ['Uint8Array'] },
  int32: { dtype: 'int32', arrays: ['Int32Array'] },
  int64: { dtype: 'int32', arrays: ['BigInt64Array'] },
  bool: { dtype: 'bool', arrays: ['Uint8Array'] },
};

/** Element types of arrays that say it themselves. Not Uint16Array: it carries halves, bfloats or integers alike. */
const natural: Record<string, string> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Float16Array: 'float16',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
};

/** `toValues` may leave int64 as it is, which no call of the core takes. */
export function operand(argument: string, value: unknown, toValues = toNumbers): Operand {
  if (value instanceof ResidentTensor) {
    return { argument, shape: value.shape, dtype: value.dtype, given: value.dtype, values: value };
  }
  const given = Object(value) as { data?: unknown; dtype?: unknown; type?: unknown; shape?: unknown; dims?: unknown };
  const data = given.data;
  if (data === null || typeof data !== 'object') {
    throw invalid(argument, value, `a tensor with data and a shape${onTensor(value)}`);
  }
  const { dtype, name, array } = elementType(argument, data, given.dtype ?? given.type);
  const sizes = given.shape ?? given.dims;
  if (isAbsent(sizes))
    throw refused(argument, 'a tensor without a shape', 'shape or dims beside data: an array of sizes');
  const shape = checkDims(argument, sizes);
  const inOrder = rowMajor(argument, array, shape, layoutOf(given));
  return { argument, shape, dtype, given: name, values: toValues(argument, inOrder, dtype) };
}

/** An input that is read as float32. */
export function floatOperand(argument: string, value: unknown): Operand {
  const from = operand(argument, value);
  if (from.dtype === 'float32' || from.dtype === 'float16') return from;
  throw new AttentionError('UNSUPPORTED_DTYPE', argument, `got ${from.given}, wanted float32 or float16`);
}

/** The weights of a linear layer, packed or not. */
export function weightOperand(argument: string, value: unknown): Operand {
  if (!(value instanceof PackedWeight)) return operand(argument, value);
  return { argument, shape: value.shape, dtype: panelsOf[value.dtype], given: 'a packed weight', values: value.panels };
}

export function optionalOperand(argument: string, value: TensorLike | null | undefined): Operand | undefined {
  return isAbsent(value) ? undefined : operand(argument, value);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/** Numbers for each batch entry. */
export function integerOperand(argument: string, value: unknown): Operand {
  const values = integers(argument, value);
  return { argument, shape: [values.length], dtype: 'int32', given: 'int32', values };
}

/** Token ids: plain integers, or a tensor of them. */
export function idsOperand(argument: string, value: unknown): Operand {
  if (isArrayLike(value)) return integerOperand(argument, value);
  const ids = operand(argument, value);
  const small = ids.values instanceof Int8Array || ids.values instanceof Uint8Array;
  return small ? { ...ids, dtype: 'int32', values: new Int32Array(ids.values as Int8Array) } : ids;
}

function elementType(
  argument: string,
  data: object,
  named: unknown,
): { dtype: DType; name: string; array: PlainArray } {
  const { kind, array } = plain(data);
  const name = named ?? natural[kind as string];
  const source = typeof name === 'string' && Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (!source?.arrays.includes(kind as string)) {
    const what = kind ? `a ${kind}` : describe(data);
    const got = named === undefined ? `${what} without dtype` : `${what} as ${describe(named)}`;
    const advice = onUnknownValue(named, Object.keys(sources)) || onData(data, named !== undefined);
    throw new AttentionError(
      'UNSUPPORTED_DTYPE',
      argument,
      `got ${got}, wanted a typed array of one of ${Object.keys(sources).join(', ')}${advice}`,
    );
  }
  return { dtype: source.dtype, name: name as string, array };
}

/** The core reads floats, halves and small integers; wider ones are narrowed here, with a range check. */
const toNumbers = (argument: string, array: PlainArray, dtype: DType): NumberArray =>
  dtype === 'int32' && !(array instanceof Int32Array) ? integers(argument, array) : (array as NumberArray);

export function checkDims(argument: string, shape: unknown): readonly number[] {
  if (!isArrayLike(shape)) throw invalid(argument, shape, `a shape: an array of sizes${onShape(shape)}`);
  const { length: rank } = shape; // asked for once, as each size is
  if (rank > maxRank)
    throw new AttentionError('SHAPE_MISMATCH', argument, `got rank ${rank}, wanted at most ${maxRank}`);
  const dims = Array.from({ length: rank }, (_, axis) => shape[axis] as number);
  for (const dim of dims) {
    if (!Number.isInteger(dim) || dim < 0 || dim > largestSize) {
      throw refused(argument, `a size of ${describe(dim)}`, `integers from 0 to ${largestSize}`);
    }
  }
  return dims;
}

/** The weights of a record by name, required ones first; any other key is refused. */
export function named<T extends object>(
  argument: string,
  record: T,
  required: readonly (keyof T & string)[],
  optional: readonly (keyof T & string)[],
): (Operand | undefined)[] {
  if (record === undefined) throw invalid(argument, record, 'an object');
  checkKeys(argument, record, [...required, ...optional]);
  return [
    ...required.map((key) => weightOperand(`${argument}.${key}`, record[key])),
    ...optional.map((key) => (isAbsent(record[key]) ? undefined : weightOperand(`${argument}.${key}`, record[key]))),
  ];
}

/**
 * For a table in JavaScript memory only the rows asked for are copied in, and the ids count those. Ids outside the
 * table are left as they are, with the whole table's shape, for the core to refuse.
 */
export function rowsAskedFor(ids: Operand, table: Operand): [Operand, Operand] {
  const [rows, width] = table.shape;
  if (table.values instanceof ResidentTensor || ids.values instanceof ResidentTensor || ids.dtype !== 'int32') {
    return [ids, table];
  }
  if (table.shape.length !== 2 || rows === undefined || width === undefined) return [ids, table];
  const wanted = ids.values as Int32Array;
  if (wanted.some((id) => id < 0 || id >= rows)) return [ids, table];
  const source = table.values;
  if (wanted.length * width * source.BYTES_PER_ELEMENT >= 2 ** 32) {
    throw new AttentionError('OUT_OF_MEMORY', undefined, `${wanted.length} rows of ${width} values do not fit`);
  }
  const values = new (source.constructor as new (length: number) => typeof source)(wanted.length * width);
  wanted.forEach((id, i) => {
    values.set(source.subarray(id * width, (id + 1) * width), i * width);
  });
  return [
    { ...ids, values: wanted.map((_, i) => i) },
    { ...table, values, shape: [wanted.length, width] },
  ];
}
