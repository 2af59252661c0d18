import type { NdArray } from '../types.js';

/** Hidden states [B,S,E] → [B,E]. */
export function pool(
  hidden: NdArray,
  mask: Int32Array,
  pooling: 'mean' | 'cls' | 'last',
  normalize: boolean,
): NdArray {
  const [batch, length, size] = hidden.shape as [number, number, number];
  const data = new Float32Array(batch * size);
  for (let b = 0; b < batch; b++) {
    const attended = positions(mask.subarray(b * length, (b + 1) * length), pooling);
    const row = new Float64Array(size);
    for (const s of attended) {
      for (let e = 0; e < size; e++) row[e] = (row[e] as number) + (hidden.data[(b * length + s) * size + e] as number);
    }
    const sumOfSquares = row.reduce((sum, value) => sum + value * value, 0);
    // The mean's divisor cancels against the length; a row of zeros stays one.
    const divisor = normalize ? Math.sqrt(sumOfSquares) || 1 : Math.max(1, attended.length);
    data.set(row.map((value) => value / divisor), b * size);
  }
  const shape = [batch, size];
  return { data, shape, dims: shape };
}

function positions(mask: Int32Array, pooling: 'mean' | 'cls' | 'last'): number[] {
  if (pooling === 'cls') return [0];
  const attended = Array.from(mask.keys()).filter((at) => mask[at] !== 0);
  return pooling === 'last' ? attended.slice(-1) : attended;
}
