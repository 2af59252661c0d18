/// <reference lib="esnext.disposable" preserve="true" />
import type { AttentionCall } from './rules.js';
import type { Integers, NdArray, TensorLike } from './tensors.js';

export interface KvCacheConfig {
  /** B; 1 by default. */
  batch?: number;
  /** Hkv. */
  numKvHeads: number;
  /** D. */
  headDim: number;
  /** Dv; headDim by default. */
  valueDim?: number;
  /** Keys stored per batch entry: required without a window; sinkTokens + window by default, and at least that. */
  capacity?: number;
  /**
   * How keys and values are kept; 'float32' by default. float16: |error| ≤ 2^-11·|x| (2^-25 below 2^-14; infinite from
   * 65,520 on). int8: a factor for each head and position, |error| ≤ max|x|/254 of its values; where one of them is NaN or
   * infinite, all become NaN.
   */
  dtype?: 'float32' | 'float16' | 'int8';
  /** The query at position p sees keys p - window < j ≤ p; earlier ones are evicted, and the memory is bounded. */
  window?: number;
  /** Beside a window: the first positions, seen by every query and never evicted (StreamingLLM, Xiao et al. 2023). */
  sinkTokens?: number;
}

/**
 * Keys and values of the positions so far. Memory is taken in pages as it grows. A failed call changes nothing.
 *
 * With a window, `capacity` counts the keys that stay after a call: the first sinkTokens and the latest others. Eviction
 * follows attention, so that a chunk gives what its tokens would give one by one. Positions stay absolute: columns of
 * weights and masks are positions 0..length-1, and evicted ones count as masked (-Infinity in `weights: 'scores'` too).
 */
export interface KvCache extends Disposable {
  /** Positions seen, also evicted ones: the next one's number. */
  readonly length: number;
  readonly capacity: number;
  /** Of the pages it holds, also of those it shares with forks. */
  readonly byteLength: number;
  /**
   * k [B,Hkv,S,D] and v [B,Hkv,S,Dv], or in any other shape of `scaledDotProductAttention`; numKvHeads: of packed ones.
   * @throws AttentionError CAPACITY_EXCEEDED where there is no window; nothing is appended then.
   */
  append(k: TensorLike, v: TensorLike, options?: { layout?: 'BHSD' | 'BSHD'; numKvHeads?: number }): void;
  /**
   * Appends, then attends over everything held: causal by default, query 0 at the length before the call. k and v null:
   * attends only, not causal by default. Skv, kvLengths and masks count held and new keys. numKvHeads is the cache's by
   * default; 'upper-left' is INVALID_ARGUMENT.
   */
  attend: AttentionCall<[q: TensorLike, k: TensorLike | null, v: TensorLike | null]>;
  /**
   * Forgets positions from `length` on: speculative tokens. With a window, what was evicted does not come back: where the
   * windows of later queries reach it, it counts as masked. A capacity of n more than sinkTokens + window keeps windows
   * whole when up to n + 1 positions are forgotten.
   * @throws AttentionError INVALID_ARGUMENT where the last of those that would stay was evicted.
   */
  truncate(length: number): void;
  clear(): void;
  /** A cache of the same contents. Both share pages until one of them writes. */
  fork(): KvCache;
  /** Beam search: new batch entry i continues old entry batch[i]. */
  reorder(batch: Integers): void;
  /** Copies of keys [B,Hkv,length,D] and values [B,Hkv,length,Dv] as they are kept; zeros where they were evicted. */
  read(): { key: NdArray; value: NdArray };
  /** The contents, with a version and a checksum, for load() of a cache of the same config in any engine. */
  toBytes(): Uint8Array<ArrayBuffer>;
  /** @throws AttentionError CORRUPT_FILE; INVALID_ARGUMENT for a cache of another config. */
  load(bytes: Uint8Array): void;
  dispose(): void;
}
