import { integer, isArrayLike, oneOf } from './arguments.js';
import { AttentionError, invalid, refused } from './errors.js';
import { maxRank, operand } from './operand.js';
import { ResidentTensor } from './tensor.js';
import type { NumberArray, PlainArray } from './typed-arrays.js';
import type { ArrayTensor, Nested, NestedData, NestedNumbers, TensorLike } from './types.js';

/**
 * The values of a tensor as arrays of arrays: [B,S,E] gives B arrays of S arrays of E numbers. Halves and int64 become
 * numbers, and true is 1. Made for small tensors; `row` and `at` read a part of a large one.
 *
 * T is the form that the caller knows: `toArray<number[][]>(matrix)`.
 *
 * @throws AttentionError INVALID_ARGUMENT for an int64 value that no number holds exactly; UNSUPPORTED_DTYPE;
 * SHAPE_MISMATCH; DISPOSED.
 */
export function toArray<T extends NestedNumbers = NestedNumbers>(tensor: TensorLike): T {
  const { shape, array, given } = read(tensor);
  const nest = (axis: number, index: number): NestedNumbers => {
    const size = shape[axis];
    if (size === undefined) return numberAt(array, given, index);
    return Array.from({ length: size }, (_, i) => nest(axis + 1, index * size + i));
  };
  return nest(0, 0) as T;
}

/**
 * The value at one place: of weights [B,H,Sq,Skv], `at(weights, 0, head, query, key)`.
 *
 * @param index One integer for each axis, counted from 0.
 * @throws AttentionError INVALID_ARGUMENT naming an index that is not there; else as toArray().
 */
export function at(tensor: TensorLike, ...index: number[]): number {
  const { shape, array, given } = read(tensor);
  if (index.length !== shape.length) throw miscounted(index, shape, `${shape.length}`);
  return numberAt(array, given, placeOf(index, shape));
}

/**
 * A part of a tensor: x [S,E] has rows [E], weights [B,H,Sq,Skv] have the map [Sq,Skv] of a head at
 * `row(weights, 0, head)`. It is a view: what is written to one is seen in the other. The view of a tensor in
 * WebAssembly memory is valid until the next call, as `Tensor.data` is.
 *
 * @param index Integers for the first axes, counted from 0: one at least, and one less than there are axes at most.
 * @throws AttentionError INVALID_ARGUMENT naming an index that is not there; UNSUPPORTED_DTYPE; SHAPE_MISMATCH; DISPOSED.
 */
export function row<T extends TensorLike>(tensor: T, ...index: number[]): ArrayTensor<T['data']> {
  const { shape, array, given } = read(tensor);
  if (index.length < 1 || index.length >= shape.length) throw miscounted(index, shape, `1 to ${shape.length - 1}`);
  const rest = shape.slice(index.length);
  const length = rest.reduce((product, size) => product * size, 1);
  const start = placeOf(index, shape) * length;
  const part = { data: array.subarray(start, start + length), shape: rest, dims: rest, dtype: given };
  return part as unknown as ArrayTensor<T['data']>;
}

const elements = {
  float32: { Values: Float32Array, wanted: 'a number', fits: (value: unknown) => typeof value === 'number' },
  int32: {
    Values: Int32Array,
    wanted: 'an integer of 32 bits',
    fits: (value: unknown) => typeof value === 'number' && (value | 0) === value,
  },
  bool: {
    Values: Uint8Array,
    wanted: 'true, false, 1 or 0',
    fits: (value: unknown) => [true, false, 1, 0].includes(value as number),
  },
} as const;

/**
 * A tensor of arrays of arrays: [[1, 2], [3, 4]] has the shape [2,2]. All arrays of one level are equally long.
 *
 * @param dtype 'float32' by default; 'int32' for ids and attentionMask, 'bool' for masks.
 * @throws AttentionError INVALID_ARGUMENT naming the place, as `nested[1][0]`, that is no such number, or an array
 * shorter or longer than the first of its level; also for more than 8 levels.
 */
export function fromNested<D extends keyof NestedData = 'float32'>(
  nested: Nested,
  dtype?: D,
): ArrayTensor<NestedData[D]> {
  const type = oneOf('dtype', dtype ?? 'float32', Object.keys(elements) as D[]);
  const { Values, wanted, fits } = elements[type];
  const shape = shapeOf(nested);
  const values: number[] = [];
  const path: number[] = [];
  const name = () => ['nested', ...path.map((i) => `[${i}]`)].join('');
  const fill = (part: unknown): void => {
    const size = shape[path.length];
    if (size === undefined) {
      if (!fits(part)) throw invalid(name(), part, wanted);
      values.push(part as number);
      return;
    }
    if (!isArrayLike(part)) throw invalid(name(), part, `${size} values`);
    if (part.length !== size) throw refused(name(), `${part.length} values`, `${size}, as in the first one`);
    for (let i = 0; i < size; i++) {
      path.push(i);
      fill(part[i]);
      path.pop();
    }
  };
  fill(nested);
  const data = Values.from(values) as ArrayTensor<NestedData[D]>['data'];
  return { data, shape, dims: shape, dtype: type };
}

/** The sizes of the first array of each level. */
function shapeOf(nested: unknown): number[] {
  const shape: number[] = [];
  for (let part = nested; isArrayLike(part); part = part[0]) {
    if (shape.length === maxRank) throw refused('nested', `more than ${maxRank} levels`, `${maxRank} at most`);
    shape.push(part.length);
  }
  return shape;
}

function read(tensor: unknown): { shape: readonly number[]; given: string; array: PlainArray } {
  const { shape, given, values } = operand('tensor', tensor, (_, array) => array as NumberArray);
  if (!(values instanceof ResidentTensor)) return { shape, given, array: values };
  if (values.isDisposed) throw new AttentionError('DISPOSED', 'tensor', 'got a tensor that was disposed');
  return { shape, given, array: values.data };
}

function numberAt(array: PlainArray, given: string, place: number): number {
  const value = array[place] as number | bigint;
  if (given === 'float16') return widened(value as number);
  if (given === 'bfloat16') return new Float32Array(Uint32Array.of((value as number) << 16).buffer)[0] as number;
  const number = Number(value);
  if (typeof value === 'number' || Number.isSafeInteger(number)) return number;
  throw invalid('tensor', value, 'an integer that a number holds exactly');
}

/** A half by its bits: 1 of sign, 5 of exponent, 10 of fraction (IEEE 754 binary16). */
function widened(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function placeOf(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((place, value, axis) => {
    const size = shape[axis] as number;
    return place * size + integer(`index[${axis}]`, value, 0, size - 1);
  }, 0);
}

function miscounted(index: readonly number[], shape: readonly number[], wanted: string): AttentionError {
  return refused('index', `a length of ${index.length}`, `${wanted} for shape [${shape}]`);
}
