import { integer, integers, isArrayLike } from './arguments.js';
import { AttentionError, invalid } from './errors.js';
import type { PlainArray } from './typed-arrays.js';

/** Where the values of a tensor lie in its data, in elements, as views of other libraries say it; not checked. */
export interface Layout {
  /** From one index to the next, of each axis. */
  readonly strides: unknown;
  /** Of the first value. */
  readonly offset: unknown;
  /** Without strides: the first axis is the innermost one. */
  readonly fortranOrder: boolean;
}

/**
 * By the names of scijs, stdlib, zarrita and Pyodide (`stride`, `strides`, `offset`, `order`) and of readers of npy files
 * (`fortranOrder`, `fortran_order`). Tensors of transformers.js have a method `stride`.
 */
export function layoutOf(tensor: object): Layout {
  const said = tensor as Record<string, unknown>;
  const strides = said.strides ?? said.stride ?? undefined;
  return {
    strides: typeof strides === 'function' ? strides.call(tensor) : strides,
    offset: said.offset ?? undefined,
    fortranOrder:
      said.fortranOrder === true || said.fortran_order === true || said.order === 'column-major' || said.order === 'F',
  };
}

/** The values in row-major order: the array itself, or a part of it, where they lie so; else a copy. */
export function rowMajor(argument: string, array: PlainArray, shape: readonly number[], layout: Layout): PlainArray {
  const count = shape.reduce((product, size) => product * size, 1);
  const offset = layout.offset === undefined ? 0 : integer(`${argument}.offset`, layout.offset, 0);
  const isWhole = layout.strides === undefined && offset === 0;
  if (isWhole && count !== array.length) {
    const message = `got ${array.length} values for shape [${shape}], wanted ${count}`;
    throw new AttentionError('SHAPE_MISMATCH', argument, message);
  }
  if (isWhole && !layout.fortranOrder) return array;
  const strides = stridesOf(argument, shape, layout);
  if (count === 0) return array.subarray(0, 0);
  checkReach(argument, array.length, shape, strides, offset);
  const plain = rowMajorStrides(shape);
  const isInOrder = shape.every((size, axis) => size === 1 || strides[axis] === plain[axis]);
  if (isInOrder) return array.subarray(offset, offset + count);
  return gathered(roomFor(argument, array, count), array, shape, strides, offset);
}

function stridesOf(argument: string, shape: readonly number[], layout: Layout): ArrayLike<number> {
  const { strides, fortranOrder } = layout;
  if (strides === undefined) {
    return fortranOrder ? rowMajorStrides([...shape].reverse()).reverse() : rowMajorStrides(shape);
  }
  const name = `${argument}.strides`;
  if (!isArrayLike(strides)) throw invalid(name, strides, 'an array of strides, one for each axis');
  if (shape.length === 0) return []; // stdlib gives a scalar a stride.
  if (strides.length === shape.length) return integers(name, strides);
  const message = `got ${strides.length}, wanted one for each axis of shape [${shape}]`;
  throw new AttentionError('SHAPE_MISMATCH', name, message);
}

function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}

function checkReach(
  argument: string,
  length: number,
  shape: readonly number[],
  strides: ArrayLike<number>,
  offset: number,
): void {
  let [first, last] = [offset, offset];
  shape.forEach((size, axis) => {
    const reach = (size - 1) * (strides[axis] as number);
    if (reach < 0) first += reach;
    else last += reach;
  });
  if (first >= 0 && last < length) return;
  const message = `shape [${shape}] with strides [${Array.from(strides)}] and offset ${offset} reads the elements ${first} to ${last}, but data has ${length}`;
  throw new AttentionError('SHAPE_MISMATCH', argument, message);
}

function roomFor(argument: string, array: PlainArray, count: number): PlainArray {
  const bytes = count * array.BYTES_PER_ELEMENT;
  try {
    // No engine has room for more.
    if (bytes < 2 ** 32) return new (array.constructor as new (length: number) => PlainArray)(count);
  } catch {
    // JavaScript has not even that.
  }
  throw new AttentionError('OUT_OF_MEMORY', argument, `a copy of ${bytes} bytes does not fit`);
}

function gathered(
  to: PlainArray,
  from: PlainArray,
  shape: readonly number[],
  strides: ArrayLike<number>,
  offset: number,
): PlainArray {
  const last = shape.length - 1;
  const [width, step] = [shape[last] as number, strides[last] as number];
  const index = shape.map(() => 0);
  let row = offset;
  for (let at = 0; at < to.length; ) {
    for (let i = 0, source = row; i < width; i++, source += step) to[at++] = from[source] as never;
    // The next row: the innermost axis that does not end here goes on, those inside it begin anew.
    for (let axis = last - 1; axis >= 0; axis--) {
      const [size, stride] = [shape[axis] as number, strides[axis] as number];
      row += stride;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < size) break;
      row -= size * stride;
      index[axis] = 0;
    }
  }
  return to;
}
