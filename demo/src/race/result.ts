import { median } from '../engine/median';
import type { Operator, Runner } from './protocol';

export interface RaceResult {
  ours: number;
  /** Of the faster operator. */
  theirs: number;
  operator: Operator;
  /** Of the faster of both 1, of the slower how fast it is beside it. */
  speeds: { ours: number; theirs: number };
}

export function resultOf(times: Record<Runner, readonly number[]>): RaceResult {
  const ours = median(times.ours);
  const all = (['Attention', 'MultiHeadAttention'] as const).map((operator) => ({
    operator,
    theirs: median(times[operator]),
  }));
  const { operator, theirs } = all[1].theirs < all[0].theirs ? all[1] : all[0];
  const fastest = Math.min(ours, theirs);
  return { ours, theirs, operator, speeds: { ours: fastest / ours, theirs: fastest / theirs } };
}

/** [H, S, D] → [S, H·D] */
export function packHeads(data: Float32Array, heads: number, length: number): Float32Array {
  const size = data.length / heads / length;
  const packed = new Float32Array(data.length);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < length; row++) {
      const start = (head * length + row) * size;
      packed.set(data.subarray(start, start + size), (row * heads + head) * size);
    }
  }
  return packed;
}
