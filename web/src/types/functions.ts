import type { AttentionMapOptions, AttentionOptions, AttentionResult, LinearAttentionOptions, Stage } from './rules.js';
import type { IntegerArray, Integers, Into, NdArray, Out, OutOption, TensorLike } from './tensors.js';
import type { FeedForwardWeights, LinearWeight, ProjectionWeights, RopeScaling } from './weights.js';

/**
 * Options of rotaryEmbedding(): where the positions and angles come from, and which values are turned.
 * @throws AttentionError INVALID_ARGUMENT for `base` or `scaling` beside `cos` and `sin`, and for one of these alone.
 */
export interface RotaryOptions<O = undefined> {
  /** Axes of x where it is of rank 4, [B,H,S,D] or [B,S,H,D]; 'BHSD' by default. */
  layout?: 'BHSD' | 'BSHD';
  /** H of packed x, [B,S,H·D] or [S,H·D]; without it rank 3 is [H,S,D]. */
  numHeads?: number;
  /**
   * Positions in tokens, [S] for all batch entries or [B·S]; 0..S-1 by default. Beside `cos` and `sin` rows of theirs:
   * one that is not there is INVALID_ARGUMENT.
   */
  positions?: Integers;
  /** θ of the frequencies base^(-2i/dims), in radians per token: above 0 (above 1 with YaRN), 10000 by default. */
  base?: number;
  /**
   * How many of the D values are rotated: even, from 2 to D, else INVALID_ARGUMENT; D by default, which is then to be
   * even (SHAPE_MISMATCH). The others are copied.
   */
  dims?: number;
  /** Pairs of neighbours (GPT-J) instead of halves (GPT-NeoX, Llama); false by default. */
  interleaved?: boolean;
  /**
   * Cosines of given angles instead of `base`: [S,dims/2] or [B,S,dims/2]; with `positions`, caches [P,dims/2] by
   * position (ONNX RotaryEmbedding 23). Rows of twice that width, as Hugging Face has them, are SHAPE_MISMATCH.
   */
  cos?: TensorLike;
  /** Sines of the same angles, of the shape of `cos`. */
  sin?: TensorLike;
  /** How angles change for contexts longer than those of training; none by default. */
  scaling?: RopeScaling;
  /** Where the result goes: x's shape, may be x itself; a new array by default. */
  out?: O;
}

/**
 * Attention and the layers around it. R is what a result comes as: an NdArray, or inside a scope a Tensor. Inputs are
 * float32 or float16 where nothing else is said.
 *
 * @throws AttentionError from each: SHAPE_MISMATCH where sizes do not fit, UNSUPPORTED_DTYPE, INVALID_ARGUMENT (unknown
 * option keys too, and tensors of another engine), OUT_OF_MEMORY before any work, DISPOSED.
 */
export interface AttentionFunctions<R> {
  /**
   * softmax(scale·Q·Kᵀ + masks)·V (Vaswani et al. 2017, arXiv:1706.03762; ONNX Attention 25; torch's function of the
   * same name), fused (Dao et al. 2022, arXiv:2205.14135): memory grows with S, never with S².
   *
   * q, k and v have one rank: [Sq,D] → [Sq,Dv] · [H,Sq,D] → [H,Sq,Dv] · with numHeads [B,Sq,H·D] → [B,Sq,H·Dv] and
   * [Sq,H·D] → [Sq,H·Dv] · BHSD → [B,H,Sq,Dv] · BSHD → [B,Sq,H,Dv]. A row that may attend to nothing gives zeros. k and
   * v may also be int8, with keyScales and valueScales.
   *
   * @throws AttentionError SHAPE_MISMATCH where ranks, batches, lengths or head sizes differ, or H is no multiple of
   * Hkv; INVALID_ARGUMENT where numHeads is not rank 4's H; OUT_OF_MEMORY also for `weights`, before any work.
   */
  scaledDotProductAttention<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    q: TensorLike,
    k: TensorLike,
    v: TensorLike,
    options?: AttentionOptions<W, L, O> & OutOption<Out | undefined>,
  ): AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>, R>;
  /**
   * Sequences packed end to end (FlashAttention's varlen, Dao 2023, arXiv:2307.08691): q [Tq,H,D], k [Tkv,Hkv,D],
   * v [Tkv,Hkv,Dv], prefix sums [B+1] → output [Tq,H,Dv], logSumExp [H,Tq]. Each sequence attends within itself;
   * positions, rules and lengths count within it, and dense masks broadcast to [B,H,longest Sq,longest Skv].
   *
   * @param options cuSeqlensQ, cuSeqlensKv: where each sequence begins, and at the end Tq and Tkv.
   * @throws AttentionError INVALID_ARGUMENT for `layout`, `weights`, `keyScales` and `valueScales`, and for sums that
   * do not rise from 0; SHAPE_MISMATCH where they do not end with Tq and Tkv, or their lengths differ.
   */
  variableLengthAttention<L extends boolean = false, O = undefined>(
    q: TensorLike,
    k: TensorLike,
    v: TensorLike,
    options: AttentionOptions<false, L, O> &
      OutOption<Out | undefined> & { cuSeqlensQ: Integers; cuSeqlensKv: Integers },
  ): AttentionResult<false, NoInfer<L>, NoInfer<O>, R>;
  /**
   * Multi-head self-attention (Vaswani et al. 2017, 3.2.2): queries, keys and values are linear in x [B,S,E] or [S,E];
   * numHeads defaults to 1. The result is [B,S,E]; without an output projection [B,S,H·Dv].
   * @throws AttentionError SHAPE_MISMATCH naming the projection; INVALID_ARGUMENT for an outputBias without output.
   */
  selfAttention<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    x: TensorLike,
    projections: ProjectionWeights<TensorLike | LinearWeight>,
    options?: AttentionOptions<W, L, O> & OutOption<Out | undefined>,
  ): AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>, R>;
  /**
   * Encoder-decoder attention (Vaswani et al. 2017, 3.2.3): queries from x [B,Sq,E], keys and values from context
   * [B,Skv,Ec], or both without the B; key [Hkv·D,Ec], value [Hkv·Dv,Ec]; else as selfAttention.
   */
  crossAttention<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    x: TensorLike,
    context: TensorLike,
    projections: ProjectionWeights<TensorLike | LinearWeight>,
    options?: AttentionOptions<W, L, O> & OutOption<Out | undefined>,
  ): AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>, R>;
  /**
   * φ(q)·(φ(K)ᵀV) / (φ(q)·ΣφK), in O(S) (Katharopoulos et al. 2020, arXiv:2006.16236). Shapes as
   * scaledDotProductAttention. A denominator of 0 gives zeros.
   */
  linearAttention(
    q: TensorLike,
    k: TensorLike,
    v: TensorLike,
    options?: LinearAttentionOptions,
  ): {
    /** Of q's shape with Dv in the place of D. */
    output: R;
  };
  /**
   * The probabilities softmax(scale·Q·Kᵀ + masks) at the size of a screen, in memory that grows with S and the map:
   * [B,H,R,C]. Cell r of R covers rows floor(r·n/R) .. floor((r+1)·n/R) of the range's n. k may be int8, with
   * keyScales.
   * @throws AttentionError INVALID_ARGUMENT for a range beyond Sq or Skv; SHAPE_MISMATCH; OUT_OF_MEMORY.
   */
  attentionMap(q: TensorLike, k: TensorLike, options?: AttentionMapOptions): R;
  /** x·weightᵀ + bias: x [...,in], weight [out,in], bias [out] → [...,out] (torch.nn.functional.linear). */
  linear<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight: TensorLike | LinearWeight,
    bias?: TensorLike | null,
    options?: { out?: O },
  ): Into<NoInfer<O>, R>;
  /**
   * (x - mean)/sqrt(variance + epsilon)·weight + bias over `axis` (default -1) to the end; biased variance, epsilon
   * 1e-5 by default (Ba et al. 2016, arXiv:1607.06450; ONNX LayerNormalization 17). weight and bias have the shape of
   * those axes; without them 1 and 0. The normalised values y err by at most 1e-6·(1 + max|y|), also where the mean is
   * up to 10^6 times the deviation, in rows of up to 32,768 values.
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have, or an epsilon below 0.
   */
  layerNorm<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    bias?: TensorLike | null,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<NoInfer<O>, R>;
  /**
   * x/sqrt(mean(x²) + epsilon)·weight over `axis` (default -1) to the end, epsilon 1e-5 by default (Zhang & Sennrich
   * 2019, arXiv:1910.07467; ONNX RMSNormalization 23). weight has the shape of those axes; without it 1.
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have, or an epsilon below 0.
   */
  rmsNorm<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<NoInfer<O>, R>;
  /**
   * exp(x - max)/sum over the one `axis` (default -1), in x's shape (ONNX Softmax 13).
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have.
   */
  softmax<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: { axis?: number } & OutOption<O>,
  ): Into<NoInfer<O>, R>;
  /**
   * x·Φ(x) (Hendrycks & Gimpel 2016, arXiv:1606.08415; ONNX Gelu 20): with the exact error function, as BERT has it
   * ('none', the default), or 'tanh', x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), as GPT-2 has it.
   */
  gelu<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: { approximate?: 'none' | 'tanh' } & OutOption<O>,
  ): Into<NoInfer<O>, R>;
  /** x/(1 + e^-x), also called swish (Elfwing et al. 2017, arXiv:1702.03118). */
  silu<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>, R>;
  /** max(x, 0) of each value (ONNX Relu). */
  relu<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>, R>;
  /** The hyperbolic tangent of each value (ONNX Tanh): the activation of BERT's pooler. */
  tanh<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>, R>;
  /** 1/(1 + e^-x) of each value, in 0..1 (ONNX Sigmoid). */
  sigmoid<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>, R>;
  /** ln(1 + e^x) of each value, a smooth relu (Dugas et al. 2000; ONNX Softplus). */
  softplus<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>, R>;
  /**
   * x/max(‖x‖, epsilon) along the one `axis` (default -1), in x's shape: ‖x‖ is the Euclidean length, epsilon 1e-12 by
   * default (torch.nn.functional.normalize). A line of zeros stays zeros.
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have, or an epsilon below 0.
   */
  l2Normalize<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<NoInfer<O>, R>;
  /**
   * The cosine of the angle between each row of x and each row of y: x [...,E], y [N,E] → [...,N]; y [E] → [...]. A row
   * of zeros has 0 with every other. For text embeddings this is the usual similarity (sentence-transformers' cos_sim).
   * @throws AttentionError SHAPE_MISMATCH where E differs.
   */
  cosineSimilarity(x: TensorLike, y: TensorLike): R;
  /**
   * x + y, broadcast from the right (ONNX Add; NumPy's rule). `out` may be x or y.
   * @throws AttentionError SHAPE_MISMATCH where sizes of an axis differ and none of them is 1.
   */
  add<O extends Out | undefined = undefined>(x: TensorLike, y: TensorLike, options?: OutOption<O>): Into<NoInfer<O>, R>;
  /**
   * x·y element by element, broadcast from the right (ONNX Mul). `out` may be x or y.
   * @throws AttentionError SHAPE_MISMATCH where sizes of an axis differ and none of them is 1.
   */
  multiply<O extends Out | undefined = undefined>(
    x: TensorLike,
    y: TensorLike,
    options?: OutOption<O>,
  ): Into<NoInfer<O>, R>;
  /**
   * The tensors one after the other along `axis` (ONNX Concat; torch.cat). Their other sizes must be equal. There is no
   * default axis, since other libraries differ in theirs.
   * @throws AttentionError SHAPE_MISMATCH naming the tensor; INVALID_ARGUMENT without tensors, or for an axis that they
   * do not have.
   */
  concat<O extends Out | undefined = undefined>(
    tensors: readonly TensorLike[],
    options: {
      /** Negative ones count from the last. */
      axis: number;
      /** Where the result goes; a new array by default. */
      out?: O;
    },
  ): Into<NoInfer<O>, R>;
  /**
   * The part of x from `start` (default 0) up to `end` (default the axis' size) along `axis`; negative ones count from
   * the end (ONNX Slice; NumPy's rule).
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have, for a start or end beyond its size, and
   * for an end before the start.
   */
  slice<O extends Out | undefined = undefined>(
    x: TensorLike,
    options: {
      /** Negative ones count from the last. */
      axis: number;
      /** The first index that is taken; 0 by default. */
      start?: number;
      /** The first index that is no longer taken; the axis' size by default. */
      end?: number;
      /** Where the result goes; a new array by default. */
      out?: O;
    },
  ): Into<NoInfer<O>, R>;
  /**
   * The index of the largest value along `axis` (default -1), in x's shape without that axis; the first of equal ones.
   * NaN is larger than every number (NumPy's rule). Always an array of JavaScript's own.
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have; SHAPE_MISMATCH where its size is 0.
   */
  argmax(x: TensorLike, options?: { axis?: number }): IntegerArray;
  /**
   * The k largest values along `axis` (default -1) and their indices, largest first, equal ones by rising index; both
   * in x's shape with k in the place of that axis (ONNX TopK; torch.topk). NaN is larger than every number. Always
   * arrays of JavaScript's own.
   * @throws AttentionError INVALID_ARGUMENT for a k that is no integer from 1 to the axis' size, or an axis that x does
   * not have.
   */
  topK(
    x: TensorLike,
    k: number,
    options?: { axis?: number },
  ): {
    /** The values, largest first. */
    values: NdArray;
    /** Where along the axis each of them lies. */
    indices: IntegerArray;
  };
  /**
   * The position-wise feed-forward network: down(act(up x)) (Vaswani et al. 2017, 3.3), or with a gate
   * down(act(gate x) ⊙ up x) (Shazeer 2020, arXiv:2002.05202). x [...,E] → [...,E]. `activation` is 'relu' by default.
   * @throws AttentionError SHAPE_MISMATCH naming the weight; INVALID_ARGUMENT for a gateBias without a gate.
   */
  feedForward<O extends Out | undefined = undefined>(
    x: TensorLike,
    weights: FeedForwardWeights,
    options?: { activation?: 'relu' | 'gelu' | 'gelu_tanh' | 'silu'; out?: O },
  ): Into<NoInfer<O>, R>;
  /**
   * Rows of table [V,E] by integer ids: [S] → [S,E], [B,S] → [B,S,E] (torch.nn.functional.embedding).
   * @throws AttentionError INVALID_ARGUMENT for an id outside 0..V-1; UNSUPPORTED_DTYPE for ids that are no integers.
   */
  embedding<O extends Out | undefined = undefined>(
    ids: Integers | TensorLike,
    table: TensorLike | LinearWeight,
    options?: { out?: O },
  ): Into<NoInfer<O>, R>;
  /**
   * Rotary positions (Su et al. 2021, arXiv:2104.09864; ONNX RotaryEmbedding 23): pair i of the first `dims` values of
   * each head is turned by position/base^(2i/dims) radians. x, and the result, in the shapes of
   * scaledDotProductAttention's q.
   */
  rotaryEmbedding<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: RotaryOptions<O>,
  ): Into<NoInfer<O>, R>;
  /**
   * Vaswani et al. 2017, 3.5: sin(p/base^(2i/size)) in column 2i, cos of the same in column 2i+1, p = offset + row →
   * [length,size]. offset 0, base 10000 by default; a base of 0 or below is INVALID_ARGUMENT.
   */
  sinusoidalPositions(length: number, size: number, options?: { offset?: number; base?: number }): R;
  /**
   * [H] slopes of ALiBi (Press et al. 2022, arXiv:2108.12409): 2^(-8(h+1)/H), also, by the paper's code, for head
   * counts that are not powers of two. numHeads from 1 to 2^24.
   */
  alibiSlopes(numHeads: number): NdArray;
  /**
   * Attention rollout (Abnar & Zuidema 2020, arXiv:2005.00928): how much each position of the input reaches each of the
   * last layer, Â_L·…·Â_1 with Â = (A+I)/2, rows renormalised, A fused over the heads. Layers [H,S,S] → [S,S],
   * [B,H,S,S] → [B,S,S]; the first layer first.
   * @param options headFusion 'mean' by default; residual true by default, false leaves out I.
   * @throws AttentionError INVALID_ARGUMENT without layers; SHAPE_MISMATCH naming the layer that differs from the
   * first.
   */
  attentionRollout(
    layers: readonly TensorLike[],
    options?: { headFusion?: 'mean' | 'max' | 'min'; residual?: boolean },
  ): R;
}
