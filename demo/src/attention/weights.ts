import { attends } from '../engine/mask';
import type { HeadData } from '../engine/protocol';

// Everything here is in double precision, on the numbers the engine worked with.

const rows = new WeakMap<HeadData, Map<number, Float32Array>>();
const columns = new WeakMap<HeadData, Map<number, Float32Array>>();

/** What a query attends to, by key; keys that are not shown weigh nothing. */
export const rowOf = (head: HeadData, query: number) => kept(rows, head, query, (key) => weightOf(head, query, key));

/** Who attends to a key, by query. */
export const columnOf = (head: HeadData, key: number) =>
  kept(columns, head, key, (query) => weightOf(head, query, key));

function kept(
  cache: WeakMap<HeadData, Map<number, Float32Array>>,
  head: HeadData,
  index: number,
  weight: (other: number) => number,
): Float32Array {
  const lines = cache.get(head) ?? new Map<number, Float32Array>();
  cache.set(head, lines);
  let line = lines.get(index);
  if (!line) {
    line = new Float32Array(head.size);
    for (let other = head.range[0]; other < head.range[1]; other++) line[other] = weight(other);
    lines.set(index, line);
  }
  return line;
}

export function weightOf(head: HeadData, query: number, key: number): number {
  if (!isAttended(head, query, key)) return 0;
  const sum = head.logSumExp[query];
  // A row that may attend to nothing.
  if (sum === Number.NEGATIVE_INFINITY) return 0;
  return Math.exp(scoreOf(head, query, key) + (head.keyBias?.[key] ?? 0) - sum);
}

/** Scaled, before the mask. */
export const scoreOf = (head: HeadData, query: number, key: number) => head.scale * dotOf(head, query, key);

export function dotOf({ query: queries, key: keys, dims }: HeadData, query: number, key: number): number {
  let sum = 0;
  for (let d = 0; d < dims; d++) sum += queries[query * dims + d] * keys[key * dims + d];
  return sum;
}

export function isAttended({ mask, isCausal, size, range }: HeadData, query: number, key: number): boolean {
  if (isCausal && key > query) return false;
  return key >= range[0] && key < range[1] && attends(mask, size, query, key);
}

/** Bits; that of a uniform row is log2 of what it may attend to. */
export function entropyOf(row: Float32Array): number {
  let sum = 0;
  for (const weight of row) if (weight > 0) sum -= weight * Math.log2(weight);
  return sum;
}
