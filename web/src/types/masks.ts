import type { Integers, TensorLike } from './tensors.js';

/**
 * The pairs a rule is asked about.
 * @throws AttentionError SHAPE_MISMATCH naming `shape` (`options.mask` in calls) where a rule's own lists do not fit.
 */
export interface MaskShape {
  /** 1 by default. */
  batch?: number;
  /** 1 by default. */
  heads?: number;
  queries: number;
  keys: number;
  /** Position of query 0 among the keys, one for all or one per batch entry; 0 by default. */
  queryOffset?: number | Integers;
}

/**
 * A rule, not a matrix: plain immutable JavaScript, no engine, no dispose. In every rule `query` is the position
 * p = i + queryOffset and `key` the key's index j, so that one mask serves prefill and decode. Blocks that the rule masks
 * wholly are skipped, and Sq×Skv is never stored. In variableLengthAttention everything counts within the sequence.
 */
export interface Mask {
  and(other: Mask): Mask;
  or(other: Mask): Mask;
  /** Attends exactly where this one does not. */
  not(): Mask;
  /**
   * [B,H,Sq,Skv], 1 where a pair attends.
   * @throws AttentionError OUT_OF_MEMORY above 2^31 bytes, before any work.
   */
  toDense(shape: MaskShape): { data: Uint8Array<ArrayBuffer>; shape: number[]; dims: number[]; dtype: 'bool' };
  /** Share of pairs that attend; 0 of none. */
  density(shape: MaskShape): number;
}

/** Builders. Each copies the arrays it is given; lists may be longer than a call needs, but not shorter. */
export interface Masks {
  /** j <= p. */
  causal(): Mask;
  /** p-left <= j <= p+right; integers from 0, -1 is no limit (Child et al. 2019; Beltagy et al. 2020). */
  slidingWindow(left: number, right: number): Mask;
  /** j < lengths[b], lengths [B]; or an attention mask [B,Skv], bool or integers, non-zero attends: any padding. */
  keyPadding(lengths: Integers | TensorLike): Mask;
  /** j < prefix or j <= p; one prefix, or one per batch entry (Raffel et al. 2020). */
  prefixLM(prefix: number | Integers): Mask;
  /** ids[p] == ids[j]: one list, or one per batch entry. Queries before position 0 attend to nothing. */
  documents(ids: Integers | readonly Integers[]): Mask;
  /** |p-j| <= window·dilation and (p-j) % dilation == 0; dilation from 1 (Beltagy et al. 2020). */
  dilated(window: number, dilation: number): Mask;
  /** p or j is one of them (Beltagy et al. 2020): `slidingWindow(w, w).or(globalTokens([0]))` is Longformer's. */
  globalTokens(indices: Integers): Mask;
  /**
   * Blocks of blockSize: the `window` blocks around the query's own (odd), rows and columns of the first globalBlocks, and
   * randomBlocks more for each row of blocks, drawn by `seed` (0 by default) from the call's keys (Zaheer et al. 2020).
   * The same for all heads and batch entries; the same seed, the same mask.
   */
  bigBird(options: {
    blockSize: number;
    window: number;
    globalBlocks: number;
    randomBlocks: number;
    seed?: number;
  }): Mask;
  /**
   * [B or 1, H or 1, ceil(Sq/blockSize), ceil(Skv/blockSize)], bool or integers, non-zero attends; the query at position p
   * is in row floor(p/blockSize).
   */
  blockSparse(blocks: TensorLike, blockSize: number): Mask;
  /**
   * A bool tensor as `options.mask` takes it: by plain indices, broadcast from the right to [B,H,Sq,Skv].
   * @throws AttentionError UNSUPPORTED_DTYPE for floats, which are added and not asked: pass them as options.mask.
   */
  dense(mask: TensorLike): Mask;
  /**
   * Asked at most once per pair and shape, and only in blocks that no other rule decides; kept as bits. perBatch and
   * perHead are true by default; false: asked once for all, with 0. What it throws passes through.
   */
  fromFunction(
    rule: (batch: number, head: number, query: number, key: number) => boolean,
    options?: { perBatch?: boolean; perHead?: boolean },
  ): Mask;
}
