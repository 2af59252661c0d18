import type { NdArray } from '../types.js';

export type Pooling = 'mean' | 'cls' | 'last';

/** Hidden states [B,S,E] → [B,E]. `mask` [B·S] says which tokens count; without it all do. */
export function pool(hidden: NdArray, pooling: Pooling, mask?: Int32Array): NdArray {
  const [batch, length, size] = hidden.shape as [number, number, number];
  const data = new Float32Array(batch * size);
  for (let b = 0; b < batch; b++) {
    const tokens = pooled(mask?.subarray(b * length, (b + 1) * length) ?? new Int32Array(length).fill(1), pooling);
    const sum = new Float64Array(size);
    for (const s of tokens) {
      for (let e = 0; e < size; e++) sum[e] = (sum[e] as number) + (hidden.data[(b * length + s) * size + e] as number);
    }
    const count = Math.max(1, tokens.length);
    data.set(
      sum.map((value) => value / count),
      b * size,
    );
  }
  const shape = [batch, size];
  return { data, shape, dims: shape };
}

/** Each row divided by its Euclidean length; a row of zeros stays one. */
export function normalized(rows: NdArray): NdArray {
  const size = rows.shape[1] as number;
  for (let start = 0; start < rows.data.length; start += size) {
    const row = rows.data.subarray(start, start + size);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    row.set(row.map((value) => value / length));
  }
  return rows;
}

function pooled(mask: Int32Array, pooling: Pooling): number[] {
  if (pooling === 'cls') return [0];
  const attended = Array.from(mask.keys()).filter((at) => mask[at] !== 0);
  return pooling === 'last' ? attended.slice(-1) : attended;
}
