import type { Mask } from './masks.js';
import type { Integers, Into, NdArray, Out, OutOption, TensorLike } from './tensors.js';

/**
 * Steps in order: scores (scale·q·k, before the softcap) → softcapped → biased (ALiBi and masks added, -Infinity where
 * masked) → probabilities. 'scores' and 'softcapped' show every pair, masked ones too. In this order they are modes 0
 * to 3 of ONNX Attention's qk_matmul_output_mode.
 */
export type Stage = 'scores' | 'softcapped' | 'biased' | 'probabilities';

/**
 * What a query may see and how a score is made. All of it applies at once.
 *
 * Query i stands at position p = i + offset for `causal`, `window`, `alibi` and every Mask rule; `kvLengths`,
 * `attentionMask` and dense masks count plain indices.
 */
export interface AttentionRules {
  /**
   * Axes of rank-4 inputs, [B,H,S,D] or [B,S,H,D]; 'BHSD' by default, 'BSHD' at another rank is INVALID_ARGUMENT. Other
   * ranks: `scaledDotProductAttention`.
   */
  layout?: 'BHSD' | 'BSHD';
  /** H of packed inputs [B,S,H·D] or [S,H·D]; without it rank 3 is [H,S,D]. At rank 4 it is to be H. */
  numHeads?: number;
  /**
   * Hkv of packed inputs: numHeads by default; a divisor of it, and INVALID_ARGUMENT without it. Query head h uses key
   * head floor(h·Hkv/H) (grouped queries, Ainslie et al. 2023, arXiv:2305.13245; torch's enable_gqa).
   */
  numKvHeads?: number;
  /** Multiplies q·k, finite; default 1/sqrt(D) (Vaswani et al. 2017). */
  scale?: number;
  /**
   * The query at position p sees keys j <= p; false by default. true = 'upper-left' = PyTorch's is_causal;
   * 'lower-right' = FlashAttention's: the last query sees the last valid key.
   */
  causal?: boolean | 'upper-left' | 'lower-right';
  /**
   * Keys p-left <= j <= p+right, in tokens; -1 is no limit, as without it. With or without causal (ONNX Attention 25;
   * FlashAttention's window_size; Beltagy et al. 2020, arXiv:2004.05150).
   */
  window?: readonly [left: number, right: number];
  /**
   * Position of query 0 among the keys, in tokens; may be negative; one number or one per batch entry. Default 0, or
   * what 'lower-right' says. INVALID_ARGUMENT beside 'upper-left' and 'lower-right'.
   */
  queryOffset?: number | Integers;
  /**
   * bool: non-zero attends (torch's attn_mask; ONNX Attention). float: added after scale and softcap; only -Infinity
   * masks. Or a rule of `masks`. Tensors broadcast from the right to [B,H,Sq,Skv] (rank 3 is [H,Sq,Skv], not per batch
   * entry); a last axis of 1 broadcasts, another short one is padded with "masked". Integers other than bool:
   * UNSUPPORTED_DTYPE.
   */
  mask?: TensorLike | Mask;
  /**
   * [B,Skv], bool or integers: non-zero attends (Hugging Face's attention_mask). torch's key_padding_mask and
   * MultiheadAttention's bool attn_mask have the OPPOSITE sense: invert them. Floats: UNSUPPORTED_DTYPE.
   */
  attentionMask?: TensorLike;
  /** c·tanh(score/c) (Gemma 2, arXiv:2408.00118; ONNX Attention); absent or 0: none; negative: INVALID_ARGUMENT. */
  softcap?: number;
  /**
   * [H] slopes, or true for those of `alibiSlopes`: adds -slope·|p-j| (Press et al. 2022, arXiv:2108.12409). None by
   * default.
   */
  alibi?: boolean | TensorLike;
  /**
   * [H] sink logits: each adds exp(sink) to its head's softmax denominator (gpt-oss, arXiv:2508.10925; a sink of 0 is
   * softmax off by one). -Infinity is no sink.
   */
  sinks?: TensorLike;
  /**
   * [B] number of valid keys, 0..Skv, else INVALID_ARGUMENT; Skv by default (ONNX Attention 24's nonpad_kv_seqlen).
   * Cuts keys only: rows of padded queries are computed like any other.
   */
  kvLengths?: Integers;
  /**
   * [B,Hkv,Skv] factors of int8 keys, which are UNSUPPORTED_DTYPE without: key j of a head is
   * keyScales[b,h,j]·k[b,h,j]. float16 and int8 keys and values are never copied whole as floats: up to 8 queries widen
   * them in registers, more of them 128 keys at a time. Refused beside other keys, for sequences packed end to end and
   * for caches.
   */
  keyScales?: TensorLike;
  /** [B,Hkv,Skv] factors of int8 values, refused as keyScales. */
  valueScales?: TensorLike;
}

/** The rules, which results there are beside the output, and where the output goes. */
export interface AttentionOptions<
  W extends boolean | Stage = boolean | Stage,
  L extends boolean = boolean,
  O = Out | undefined,
> extends AttentionRules {
  /**
   * Values beside the output, B·H·Sq·Skv·4 bytes; true means 'probabilities', false is the default. OUT_OF_MEMORY
   * before any work.
   */
  weights?: W;
  /**
   * Natural log of the softmax denominator, sinks included (FlashAttention's softmax_lse). Where a row may attend to
   * nothing: -Infinity, or the sink's logit. False by default.
   */
  logSumExp?: L;
  /** Where the output goes: SHAPE_MISMATCH where it does not fit. A new array by default. */
  out?: O;
}

/** What a call gives; the types of its options say what is there. */
export interface AttentionResult<W = boolean | Stage, L = boolean, O = undefined> {
  /** Of q's shape with Dv in the place of D; after an output projection [B,Sq,E] or [Sq,E]. */
  output: Into<O>;
  /** Always [B,H,Sq,Skv], but for averageWeights; undefined where they were not asked for. */
  weights: W extends true | Stage ? NdArray : undefined;
  /** Always [B,H,Sq], of sequences packed end to end [H,Tq]; undefined where it was not asked for. */
  logSumExp: L extends true ? NdArray : undefined;
}

/**
 * An attention function: its inputs, then options, whose types decide which results there are. Calls in a worker have
 * the same type parameters, so that the compiler can make a call of either kind.
 */
export type AttentionCall<Args extends unknown[]> = <
  W extends boolean | Stage = false,
  L extends boolean = false,
  O = undefined,
>(
  ...args: [...Args, options?: AttentionOptions<W, L, O> & OutOption<Out | undefined>]
) => AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>;

/** Which part of the attention probabilities, at which size; cells are pooled rows and columns. */
export interface AttentionMapOptions extends AttentionRules {
  /** Half-open range of queries within 0..Sq, else INVALID_ARGUMENT; all by default. */
  rows?: readonly [start: number, end: number];
  /** Half-open range of keys within 0..Skv, else INVALID_ARGUMENT; all by default. */
  columns?: readonly [start: number, end: number];
  /** [R,C] in cells, from 1 on; at most 256×256 by default; cut to the range where it is larger. */
  size?: readonly [rows: number, columns: number];
  /** Of each cell: the largest probability (default), or their mean with masked pairs as 0. */
  pool?: 'max' | 'mean';
  /** [B,H,Sq], else SHAPE_MISMATCH, of an earlier call with the same rules saves the first pass: for zooming. */
  logSumExp?: TensorLike;
}

/** Options of linearAttention(); attention's others are refused as unknown keys. */
export interface LinearAttentionOptions {
  /** Query i sees keys j <= i; false by default. */
  causal?: boolean;
  /** φ, of each value: elu(x)+1, the paper's and the default, or max(x, 0). */
  featureMap?: 'elu+1' | 'relu';
  /** Axes of rank-4 inputs; 'BHSD' by default, as in AttentionRules. */
  layout?: 'BHSD' | 'BSHD';
  /** H of packed inputs, as in AttentionRules. */
  numHeads?: number;
  /** Hkv of packed inputs, as in AttentionRules; numHeads by default. */
  numKvHeads?: number;
}
