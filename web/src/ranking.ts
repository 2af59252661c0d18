import { AttentionError, invalid } from './errors.js';
import type { IntegerArray, NdArray } from './types.js';

/** Values in float32, row-major. */
export interface Floats {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** The lines of values along an axis: how many before and after it, and how long. */
function linesAlong({ shape }: Floats, axis: number): { axis: number; outer: number; size: number; inner: number } {
  const at = axis < 0 ? axis + shape.length : axis;
  const size = shape[at];
  if (shape.length === 0) throw new AttentionError('SHAPE_MISMATCH', 'x', 'got shape [], wanted at least one axis');
  if (size === undefined) throw invalid('options.axis', axis, `-${shape.length}..${shape.length - 1}`);
  const count = (sizes: readonly number[]) => sizes.reduce((product, dim) => product * dim, 1);
  return { axis: at, outer: count(shape.slice(0, at)), size, inner: count(shape.slice(at + 1)) };
}

/** Whether `a` comes before `b`: larger ones first, NaN before all numbers (torch.topk, numpy.argmax). */
function isLarger(a: number, b: number): boolean {
  return a > b || (Number.isNaN(a) && !Number.isNaN(b));
}

/** The k largest of `size` values, `step` apart, best first; of equal ones those that come first. */
function bestOf(data: Float32Array, first: number, size: number, step: number, k: number): number[] {
  const best: number[] = [];
  const value = (index: number) => data[first + index * step] as number;
  for (let index = 0; index < size; index++) {
    if (best.length === k && !isLarger(value(index), value(best[k - 1] as number))) continue;
    let place = best.length;
    while (place > 0 && isLarger(value(index), value(best[place - 1] as number))) place--;
    best.splice(place, 0, index);
    if (best.length > k) best.pop();
  }
  return best;
}

export function topK(x: Floats, k: number, axis: number): { values: NdArray; indices: IntegerArray } {
  const lines = linesAlong(x, axis);
  const { outer, size, inner } = lines;
  if (k > size) throw invalid('k', k, `at most ${size}, the size of axis ${axis}`);
  const shape = x.shape.map((dim, i) => (i === lines.axis ? k : dim));
  const values = new Float32Array(outer * k * inner);
  const indices = new Int32Array(values.length);
  for (let line = 0; line < outer * inner; line++) {
    const [before, after] = [Math.floor(line / inner), line % inner];
    const first = before * size * inner + after;
    bestOf(x.data, first, size, inner, k).forEach((index, rank) => {
      const at = (before * k + rank) * inner + after;
      indices[at] = index;
      values[at] = x.data[first + index * inner] as number;
    });
  }
  return { values: { data: values, shape, dims: shape }, indices: { data: indices, shape, dims: shape } };
}

export function argmax(x: Floats, axis: number): IntegerArray {
  const { axis: at, size } = linesAlong(x, axis);
  if (size === 0)
    throw new AttentionError('SHAPE_MISMATCH', 'x', `got shape [${x.shape}], wanted values along axis ${axis}`);
  const { data } = topK(x, 1, axis).indices;
  const shape = x.shape.filter((_, i) => i !== at);
  return { data, shape, dims: shape };
}
