import type { Integers, TensorLike } from './tensors.js';

/**
 * The pairs a rule is asked about; sizes are integers from 0 on.
 * @throws AttentionError SHAPE_MISMATCH naming `shape` (`options.mask` in calls) where a rule's own lists do not fit;
 * INVALID_ARGUMENT for what is no such integer; OUT_OF_MEMORY for more than 2^24 rows of blocks of 64 queries.
 */
export interface MaskShape {
  /** B, batch entries; 1 by default. */
  batch?: number;
  /** H, query heads; 1 by default. */
  heads?: number;
  /** Sq, of each batch entry. */
  queries: number;
  /** Skv, of each batch entry. */
  keys: number;
  /** Position of query 0 among the keys, may be negative; one for all or one per batch entry; 0 by default. */
  queryOffset?: number | Integers;
}

/**
 * A rule, not a matrix: plain immutable JavaScript, no engine, no dispose. In every rule `query` is the position
 * p = i + queryOffset and `key` the key's index j, so that one mask serves prefill and decode. Blocks that the rule
 * masks wholly are skipped, and Sq×Skv is never stored. In variableLengthAttention everything counts within the
 * sequence.
 */
export interface Mask {
  /**
   * Attends where both do.
   * @throws AttentionError INVALID_ARGUMENT where other was not made by `masks`.
   */
  and(other: Mask): Mask;
  /**
   * Attends where at least one of the two does.
   * @throws AttentionError INVALID_ARGUMENT where other was not made by `masks`.
   */
  or(other: Mask): Mask;
  /** Attends exactly where this one does not. */
  not(): Mask;
  /**
   * Every pair as one byte: a tensor that `options.mask` takes.
   * @throws AttentionError OUT_OF_MEMORY above 2^31 bytes, before any work.
   */
  toDense(shape: MaskShape): {
    /** Row-major: 1 where a pair attends, else 0. */
    data: Uint8Array<ArrayBuffer>;
    /** [B,H,Sq,Skv]. */
    shape: number[];
    /** The same sizes as `shape`. */
    dims: number[];
    /** Says that non-zero bytes attend. */
    dtype: 'bool';
  };
  /** Share of the B·H·Sq·Skv pairs that attend, from 0 to 1; 0 of none. */
  density(shape: MaskShape): number;
}

/**
 * Builders. Each copies the arrays it is given; lists may be longer than a call needs, but not shorter.
 * @throws AttentionError INVALID_ARGUMENT for numbers outside what is said here; a call whose sizes a rule's lists do
 * not fit throws SHAPE_MISMATCH.
 */
export interface Masks {
  /** j <= p (Vaswani et al. 2017, arXiv:1706.03762, 3.2.3). */
  causal(): Mask;
  /**
   * p-left <= j <= p+right, in tokens; integers from 0, -1 is no limit (Child et al. 2019, arXiv:1904.10509; Beltagy et
   * al. 2020, arXiv:2004.05150).
   */
  slidingWindow(left: number, right: number): Mask;
  /**
   * j < lengths[b], lengths [B]; or an attention mask [B,Skv], bool or integers, non-zero attends: any padding (Hugging
   * Face's attention_mask; torch's key_padding_mask has the opposite sense).
   * @throws AttentionError UNSUPPORTED_DTYPE for floats; SHAPE_MISMATCH for another rank.
   */
  keyPadding(lengths: Integers | TensorLike): Mask;
  /**
   * j < prefix or j <= p; one prefix in tokens, or one per batch entry (Raffel et al. 2020, arXiv:1910.10683, 3.2.1).
   */
  prefixLM(prefix: number | Integers): Mask;
  /**
   * ids[p] == ids[j], for sequences packed into one: one list of ids by position, or one per batch entry. Queries
   * before position 0 attend to nothing. (FlexAttention's document masks, Dong et al. 2024, arXiv:2412.05496.)
   */
  documents(ids: Integers | readonly Integers[]): Mask;
  /**
   * |p-j| <= window·dilation and (p-j) % dilation == 0; window from 0, dilation from 1 (Beltagy et al. 2020,
   * arXiv:2004.05150, figure 2c).
   */
  dilated(window: number, dilation: number): Mask;
  /**
   * p or j is one of them (Beltagy et al. 2020, arXiv:2004.05150, 3.1): `slidingWindow(w, w).or(globalTokens([0]))` is
   * Longformer's.
   */
  globalTokens(indices: Integers): Mask;
  /**
   * Blocks of blockSize tokens: the `window` blocks around the query's own (odd), rows and columns of the first
   * globalBlocks, and randomBlocks more for each row of blocks, drawn by `seed` (0 by default) from the call's keys
   * (Zaheer et al. 2020, arXiv:2007.14062). The same for all heads and batch entries; the same seed, the same mask.
   */
  bigBird(options: {
    /** Tokens of a block, from 1. */
    blockSize: number;
    /** Blocks around the query's own and itself, odd; 3 in the paper. */
    window: number;
    /** How many of the first blocks see all and are seen by all, from 0. */
    globalBlocks: number;
    /** How many more blocks each row of blocks has, from 0. */
    randomBlocks: number;
    /** A 32-bit integer; 0 by default. */
    seed?: number;
  }): Mask;
  /**
   * [B or 1, H or 1, ceil(Sq/blockSize), ceil(Skv/blockSize)], bool or integers, non-zero attends (Child et al. 2019,
   * arXiv:1904.10509); the query at position p is in row floor(p/blockSize), before position 0 it attends to nothing.
   * @throws AttentionError UNSUPPORTED_DTYPE for floats; SHAPE_MISMATCH for another rank.
   */
  blockSparse(blocks: TensorLike, blockSize: number): Mask;
  /**
   * A bool tensor as `options.mask` takes it: by plain indices, broadcast from the right to [B,H,Sq,Skv].
   * @throws AttentionError UNSUPPORTED_DTYPE for floats, which are added and not asked: pass them as options.mask;
   * SHAPE_MISMATCH above rank 4.
   */
  dense(mask: TensorLike): Mask;
  /**
   * The caller's own rule (FlexAttention's mask_mod, Dong et al. 2024, arXiv:2412.05496). Asked at most once per pair
   * and shape, and only in blocks that no other rule decides; kept as bits. perBatch and perHead are true by default;
   * false: asked once for all, with 0. What it throws passes through.
   */
  fromFunction(
    rule: (batch: number, head: number, query: number, key: number) => boolean,
    options?: { perBatch?: boolean; perHead?: boolean },
  ): Mask;
}
