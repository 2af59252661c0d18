import { checkKeys, integer } from '../arguments.js';
import { invalid } from '../errors.js';
import type { NdArray } from '../types.js';
import type { AttentionTap } from './types.js';

/** Reads options.attention of a model with so many layers and heads. */
export function readTap(asked: AttentionTap | undefined, layers: number, heads: number): Tap | undefined {
  if (asked === undefined || asked === false) return undefined;
  const some: Exclude<AttentionTap, boolean> =
    asked === true ? {} : checkKeys('options.attention', asked, ['layers', 'heads']);
  return new Tap(
    indices('options.attention.layers', some.layers, layers),
    indices('options.attention.heads', some.heads, heads),
  );
}

/** Which layers and heads were asked for. */
export class Tap {
  constructor(
    readonly layers: readonly number[],
    readonly heads: readonly number[],
  ) {}

  /** [B,H,S,S] → [B,heads asked,S,S]. */
  select(weights: NdArray): NdArray {
    const [batch, all, rows, columns] = weights.shape as [number, number, number, number];
    if (this.heads.length === all && this.heads.every((head, at) => head === at)) return weights;
    const count = rows * columns;
    const data = new Float32Array(batch * this.heads.length * count);
    for (let b = 0; b < batch; b++) {
      this.heads.forEach((head, at) => {
        const from = (b * all + head) * count;
        data.set(weights.data.subarray(from, from + count), (b * this.heads.length + at) * count);
      });
    }
    const shape = [batch, this.heads.length, rows, columns];
    return { data, shape, dims: shape };
  }
}

function indices(argument: string, asked: readonly number[] | undefined, count: number): number[] {
  if (asked === undefined) return Array.from({ length: count }, (_, index) => index);
  if (!Array.isArray(asked)) throw invalid(argument, asked, 'an array of indices');
  return asked.map((index) => integer(argument, index, 0, count - 1));
}
