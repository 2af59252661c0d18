/// <reference lib="esnext.disposable" preserve="true" />
import type { AttentionOptions, AttentionResult, Stage } from './rules.js';
import type { Integers, NdArray, Out, OutOption, TensorLike } from './tensors.js';

/** Sizes and storage of a cache, fixed when it is made. Sizes are integers from 1 on; others are INVALID_ARGUMENT. */
export interface KvCacheConfig {
  /** B, the number of sequences; 1 by default. */
  batch?: number;
  /** Hkv, the number of key and value heads. */
  numKvHeads: number;
  /** D, the size of a key. */
  headDim: number;
  /** Dv, the size of a value; headDim by default. */
  valueDim?: number;
  /**
   * Keys stored per batch entry, in tokens. Required without a window; with one sinkTokens + window + rollback by
   * default, and at least that.
   */
  capacity?: number;
  /**
   * How keys and values are kept; 'float32' by default. float16: |error| ≤ 2^-11·|x| (2^-25 below 2^-14; infinite from
   * 65,520 on). int8: a factor for each head and position, |error| ≤ max|x|/254 of its values; where one of them is NaN
   * or infinite, all become NaN.
   */
  dtype?: 'float32' | 'float16' | 'int8';
  /**
   * In tokens, its own included: the query at position p sees keys p - window < j ≤ p; earlier ones are evicted, and
   * the memory is bounded. Without it every key is kept, up to the capacity.
   */
  window?: number;
  /**
   * Beside a window: so many of the first positions are seen by every query and never evicted (StreamingLLM, Xiao et
   * al. 2023, arXiv:2309.17453). 0 by default; without a window INVALID_ARGUMENT.
   */
  sinkTokens?: number;
  /**
   * Beside a window: how many of the latest positions truncate() can always forget, such as the rejected tokens of
   * speculative decoding. As many positions that left the window are kept for it. 0 by default; without a window
   * INVALID_ARGUMENT.
   */
  rollback?: number;
}

/**
 * Keys and values of the positions so far. Memory is taken in pages as it grows. A failed call changes nothing.
 *
 * With a window, `capacity` counts the keys that stay after a call: the first sinkTokens and the latest others.
 * Eviction follows attention, so that a chunk gives what its tokens would give one by one. Positions stay absolute:
 * columns of weights and masks are positions 0..length-1, and evicted ones count as masked (-Infinity in
 * `weights: 'scores'` too).
 *
 * @throws AttentionError DISPOSED after dispose(), of the cache or its engine.
 */
export interface KvCache extends Disposable {
  /** Positions seen, also evicted ones: the next one's number. */
  readonly length: number;
  /** Keys stored per batch entry, in tokens: the config's, or its default. */
  readonly capacity: number;
  /** Bytes of the pages it holds, also of those it shares with forks. */
  readonly byteLength: number;
  /**
   * k [B,Hkv,S,D] and v [B,Hkv,S,Dv], or in any other shape of `scaledDotProductAttention`.
   * @param options layout: of rank 4, 'BHSD' by default; numKvHeads: of packed ones, the cache's.
   * @throws AttentionError CAPACITY_EXCEEDED where there is no window, nothing is appended then; SHAPE_MISMATCH;
   * UNSUPPORTED_DTYPE; OUT_OF_MEMORY.
   */
  append(k: TensorLike, v: TensorLike, options?: { layout?: 'BHSD' | 'BSHD'; numKvHeads?: number }): void;
  /**
   * Appends, then attends over everything held, as scaledDotProductAttention does: causal by default, query 0 at the
   * length before the call. k and v null: attends only, not causal by default. Skv, kvLengths and masks count held and
   * new keys. numKvHeads is the cache's by default.
   * @throws AttentionError CAPACITY_EXCEEDED and SHAPE_MISMATCH as append(); INVALID_ARGUMENT for causal 'upper-left',
   * keyScales, valueScales, and one of k and v without the other.
   */
  attend<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    q: TensorLike,
    k: TensorLike | null,
    v: TensorLike | null,
    options?: AttentionOptions<W, L, O> & OutOption<Out | undefined>,
  ): AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>;
  /**
   * Forgets positions from `length` on: speculative tokens (Leviathan et al. 2023, arXiv:2211.17192). Later queries see
   * what they would see if the forgotten positions had never come. With a window, `rollback` says how far back that can
   * be; down to `sinkTokens` and below it always can.
   * @throws AttentionError INVALID_ARGUMENT above the present length, and where the window of the next query would reach
   * a position that was evicted.
   */
  truncate(length: number): void;
  /** Forgets every position and gives the pages back; the cache may be used again. */
  clear(): void;
  /**
   * A cache of the same contents and config, to be disposed by itself. Both share pages until one of them writes.
   * @throws AttentionError OUT_OF_MEMORY.
   */
  fork(): KvCache;
  /**
   * Beam search: new batch entry i continues old entry batch[i]; no keys are copied.
   * @param batch [B] entries, 0..B-1; one may stand there several times.
   * @throws AttentionError SHAPE_MISMATCH for another length; INVALID_ARGUMENT for another entry; OUT_OF_MEMORY.
   */
  reorder(batch: Integers): void;
  /**
   * Copies, in float32, of keys and values as they are kept; zeros where they were evicted.
   * @throws AttentionError OUT_OF_MEMORY.
   */
  read(): {
    /** [B,Hkv,length,D]. */
    key: NdArray;
    /** [B,Hkv,length,Dv]. */
    value: NdArray;
  };
  /**
   * The contents, with a version and a checksum, for load() of a cache of the same config in any engine.
   * @throws AttentionError OUT_OF_MEMORY.
   */
  toBytes(): Uint8Array<ArrayBuffer>;
  /**
   * Takes the contents of toBytes() in the place of its own.
   * @throws AttentionError CORRUPT_FILE where they were changed, cut or are of another version; INVALID_ARGUMENT for a
   * cache of another config; OUT_OF_MEMORY.
   */
  load(bytes: Uint8Array): void;
  /** Gives its pages back, but for those that forks still share. May be called twice. */
  dispose(): void;
}
