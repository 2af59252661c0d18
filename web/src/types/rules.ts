import type { Mask } from './masks.js';
import type { Integers, Into, NdArray, Out, TensorLike } from './tensors.js';

/**
 * Steps in order: scores (scale·q·k, before the softcap) → softcapped → biased (ALiBi and masks added, -Infinity where
 * masked) → probabilities. 'scores' and 'softcapped' show every pair, masked ones too.
 */
export type Stage = 'scores' | 'softcapped' | 'biased' | 'probabilities';

/**
 * What a query may see and how a score is made. All of it applies at once.
 *
 * Query i stands at position p = i + offset for `causal`, `window`, `alibi` and every Mask rule; `kvLengths`,
 * `attentionMask` and dense masks count plain indices.
 */
export interface AttentionRules {
  /** Of rank-4 inputs; 'BHSD' by default. Other ranks: `scaledDotProductAttention`. */
  layout?: 'BHSD' | 'BSHD';
  /** Of packed inputs [B,S,H·D]. */
  numHeads?: number;
  /** numHeads by default; a divisor of it. Query head h uses key head floor(h·Hkv/H). */
  numKvHeads?: number;
  /** Default 1/sqrt(D). */
  scale?: number;
  /**
   * The query at position p sees keys j <= p. true = 'upper-left' = PyTorch's is_causal; 'lower-right' =
   * FlashAttention's: the last query sees the last valid key.
   */
  causal?: boolean | 'upper-left' | 'lower-right';
  /** Keys p-left <= j <= p+right; -1 is no limit. With or without causal. */
  window?: readonly [left: number, right: number];
  /**
   * Position of query 0 among the keys; may be negative; one number or one per batch entry. Default 0, or what
   * 'lower-right' says. INVALID_ARGUMENT beside 'upper-left' and 'lower-right'.
   */
  queryOffset?: number | Integers;
  /**
   * bool: non-zero attends. float: added after scale and softcap; only -Infinity masks. Or a rule of `masks`.
   * Tensors broadcast from the right to [B,H,Sq,Skv] (rank 3 is [H,Sq,Skv], not per batch entry); a last axis of 1
   * broadcasts, another short one is padded with "masked". Integers other than bool: UNSUPPORTED_DTYPE.
   */
  mask?: TensorLike | Mask;
  /**
   * [B,Skv], bool or integers: non-zero attends (Hugging Face's attention_mask). torch's key_padding_mask and
   * MultiheadAttention's bool attn_mask have the OPPOSITE sense: invert them.
   */
  attentionMask?: TensorLike;
  /** c·tanh(score/c) (Gemma 2); absent or 0: none; negative: INVALID_ARGUMENT. */
  softcap?: number;
  /** [H] slopes, or true for those of `alibiSlopes`: adds -slope·|p-j| (Press et al. 2022). */
  alibi?: boolean | TensorLike;
  /**
   * [H] sink logits: each adds exp(sink) to its head's softmax denominator (gpt-oss; a sink of 0 is softmax off by one).
   * -Infinity is no sink.
   */
  sinks?: TensorLike;
  /** [B] number of valid keys. Cuts keys only: rows of padded queries are computed like any other. */
  kvLengths?: Integers;
  /**
   * [B,Hkv,Skv] factors of int8 keys: key j of a head is keyScales[b,h,j]·k[b,h,j]. float16 and int8 keys and values
   * are never copied whole as floats: up to 8 queries widen them in registers, more of them 128 keys at a time.
   * Refused for sequences packed end to end.
   */
  keyScales?: TensorLike;
  /** [B,Hkv,Skv] factors of int8 values. */
  valueScales?: TensorLike;
}

export interface AttentionOptions<
  W extends boolean | Stage = boolean | Stage,
  L extends boolean = boolean,
  O = Out | undefined,
> extends AttentionRules {
  /** Values beside the output, B·H·Sq·Skv·4 bytes; true means 'probabilities'. */
  weights?: W;
  /**
   * Natural log of the softmax denominator, sinks included. Where a row may attend to nothing: -Infinity, or the
   * sink's logit.
   */
  logSumExp?: L;
  out?: O;
}

export interface AttentionResult<W = boolean | Stage, L = boolean, O = undefined> {
  output: Into<O>;
  /** Always [B,H,Sq,Skv]. */
  weights: W extends true | Stage ? NdArray : undefined;
  /** Always [B,H,Sq]. */
  logSumExp: L extends true ? NdArray : undefined;
}

export type AttentionCall<Args extends unknown[], More = unknown> = <
  W extends boolean | Stage = false,
  L extends boolean = false,
  O extends Out | undefined = undefined,
>(
  ...args: [...Args, options?: AttentionOptions<W, L, O> & More]
) => AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>;

/** A part of the attention probabilities at the size of a screen. */
export interface AttentionMapOptions extends AttentionRules {
  /** Half-open range of queries; all by default. */
  rows?: readonly [start: number, end: number];
  /** Half-open range of keys; all by default. */
  columns?: readonly [start: number, end: number];
  /** [R,C], at most 256×256 by default; cut to the range where it is larger. */
  size?: readonly [rows: number, columns: number];
  /** Of each cell: the largest probability (default), or their mean with masked pairs as 0. */
  pool?: 'max' | 'mean';
  /** [B,H,Sq] of an earlier call with the same rules saves the first pass: for zooming. */
  logSumExp?: TensorLike;
}

export interface LinearAttentionOptions {
  /** Query i sees keys j <= i. */
  causal?: boolean;
  /** φ: 'elu+1' by default. */
  featureMap?: 'elu+1' | 'relu';
  /** As in AttentionRules. */
  layout?: 'BHSD' | 'BSHD';
  numHeads?: number;
  numKvHeads?: number;
}
