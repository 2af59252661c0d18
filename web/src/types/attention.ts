/// <reference lib="esnext.disposable" preserve="true" />
import type { KvCache, KvCacheConfig } from './kv-cache.js';
import type { Variant } from './load.js';
import type { Masks } from './masks.js';
import type {
  AttentionCall,
  AttentionMapOptions,
  AttentionOptions,
  AttentionResult,
  LinearAttentionOptions,
} from './rules.js';
import type { DType, Integers, Into, NdArray, Out, OutOption, Tensor, TensorLike } from './tensors.js';
import type {
  FeedForwardWeights,
  LinearWeight,
  MultiHeadAttention,
  MultiHeadConfig,
  ProjectionWeights,
  RopeScaling,
} from './weights.js';

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
 * An engine: every function over its own WebAssembly memory. Inputs are float32 or float16 where nothing else is said.
 * A method works without its object, here and in all classes of the package: `const { softmax } = attention`.
 *
 * @throws AttentionError from each: SHAPE_MISMATCH where sizes do not fit, UNSUPPORTED_DTYPE, INVALID_ARGUMENT (unknown
 * option keys too, and tensors of another engine), OUT_OF_MEMORY before any work, DISPOSED.
 */
export interface Attention extends Disposable {
  /** What was loaded, and the memory it takes; made anew at each reading, and readable after dispose(). */
  readonly info: {
    /** The build that runs. */
    readonly variant: Variant;
    /** How many threads share the work of a call; 1 where memory is not shared. */
    readonly threads: number;
    /** Why there is one thread, where `threads: 'auto'` got no more. */
    readonly threadsReason?: string;
    /** The package's version, as its package.json has it. */
    readonly version: string;
    /** The size of the engine's memory, in bytes: it grows, and never shrinks. 0 after dispose(). */
    readonly memoryBytes: number;
    /** The most bytes that one call held beside tensors: inputs copied in, scratch, results to be copied out. */
    readonly highWaterBytes: number;
  };
  /**
   * A copy in WebAssembly memory, for inputs used more than once. Float64 becomes float32, int64 and uint8 int32.
   * As dtype, 'float32' widens float16 once, instead of at each use.
   */
  tensor(data: TensorLike & { readonly data: Float32Array | Float64Array }): Tensor<'float32'>;
  /**
   * The same of any element type.
   * @throws AttentionError INVALID_ARGUMENT where an int64 value is no int32.
   */
  tensor(data: TensorLike): Tensor;
  /**
   * The same, as float32.
   * @throws AttentionError UNSUPPORTED_DTYPE where data is neither float32 nor float16.
   */
  tensor(data: TensorLike, dtype: 'float32'): Tensor<'float32'>;
  /**
   * A tensor of zeros in WebAssembly memory, to be written by `data` or as `out`.
   * @param shape Sizes of up to 8 axes; [] is a scalar.
   * @param dtype 'float32' by default.
   * @throws AttentionError UNSUPPORTED_DTYPE for a type of another name; OUT_OF_MEMORY.
   */
  zeros<D extends DType = 'float32'>(shape: readonly number[], dtype?: D): Tensor<D>;

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
  scaledDotProductAttention: AttentionCall<[q: TensorLike, k: TensorLike, v: TensorLike]>;
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
  ): AttentionResult<false, NoInfer<L>, NoInfer<O>>;
  /**
   * Multi-head self-attention (Vaswani et al. 2017, 3.2.2): queries, keys and values are linear in x [B,S,E] or [S,E];
   * numHeads defaults to 1. The result is [B,S,E]; without an output projection [B,S,H·Dv].
   * @throws AttentionError SHAPE_MISMATCH naming the projection; INVALID_ARGUMENT for an outputBias without output.
   */
  selfAttention: AttentionCall<[x: TensorLike, projections: ProjectionWeights<TensorLike | LinearWeight>]>;
  /**
   * Encoder-decoder attention (Vaswani et al. 2017, 3.2.3): queries from x [B,Sq,E], keys and values from context
   * [B,Skv,Ec], or both without the B; key [Hkv·D,Ec], value [Hkv·Dv,Ec]; else as selfAttention.
   */
  crossAttention: AttentionCall<
    [x: TensorLike, context: TensorLike, projections: ProjectionWeights<TensorLike | LinearWeight>]
  >;
  /**
   * The layer of torch.nn.MultiheadAttention by its state-dict names: in_proj_weight [(H+2·Hkv)·D,E] or q_proj_weight
   * [E,E], k_proj_weight [Hkv·D,kdim], v_proj_weight [Hkv·D,vdim]; in_proj_bias [(H+2·Hkv)·D]; out_proj.weight [E,E],
   * out_proj.bias [E]. Batch first. The weights are copied; dispose() gives them back.
   *
   * @throws AttentionError INVALID_ARGUMENT naming any other name, packed beside separate weights, or sizes that do not
   * divide; SHAPE_MISMATCH naming the weight; UNSUPPORTED_DTYPE; OUT_OF_MEMORY.
   */
  multiHeadAttention(config: MultiHeadConfig, weights: Readonly<Record<string, TensorLike>>): MultiHeadAttention;
  /**
   * Keys and values of a sequence so far (ONNX Attention's past and present), for decoding token by token; empty, with
   * memory taken as it grows.
   * @throws AttentionError INVALID_ARGUMENT naming what of the config is missing or refused; OUT_OF_MEMORY.
   */
  kvCache(config: KvCacheConfig): KvCache;
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
    output: NdArray;
  };
  /**
   * The probabilities softmax(scale·Q·Kᵀ + masks) at the size of a screen, in memory that grows with S and the map:
   * [B,H,R,C]. Cell r of R covers rows floor(r·n/R) .. floor((r+1)·n/R) of the range's n. k may be int8, with
   * keyScales.
   * @throws AttentionError INVALID_ARGUMENT for a range beyond Sq or Skv; SHAPE_MISMATCH; OUT_OF_MEMORY.
   */
  attentionMap(q: TensorLike, k: TensorLike, options?: AttentionMapOptions): NdArray;
  /** Builders of mask rules: the same object that the module exports. */
  readonly masks: Masks;

  /** x·weightᵀ + bias: x [...,in], weight [out,in], bias [out] → [...,out] (torch.nn.functional.linear). */
  linear<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight: TensorLike | LinearWeight,
    bias?: TensorLike | null,
    options?: { out?: O },
  ): Into<NoInfer<O>>;
  /**
   * A copy of a linear layer's weight [out,in] as its kernel reads it, for weights used more than once. 'int8' takes a
   * quarter of the memory: each output has a factor, max|w|/127 of its weights, and |error| ≤ max|w|/254 of each.
   * @param options dtype: 'float32' by default.
   * @throws AttentionError SHAPE_MISMATCH where weight is not of rank 2; OUT_OF_MEMORY.
   */
  linearWeight(weight: TensorLike, options?: { dtype?: 'float32' | 'int8' }): LinearWeight;
  /**
   * (x - mean)/sqrt(variance + epsilon)·weight + bias over `axis` (default -1) to the end; biased variance, epsilon
   * 1e-5 by default (Ba et al. 2016, arXiv:1607.06450; ONNX LayerNormalization 17). weight and bias have the shape of
   * those axes; without them 1 and 0.
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have, or an epsilon below 0.
   */
  layerNorm<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    bias?: TensorLike | null,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<NoInfer<O>>;
  /**
   * x/sqrt(mean(x²) + epsilon)·weight over `axis` (default -1) to the end, epsilon 1e-5 by default (Zhang & Sennrich
   * 2019, arXiv:1910.07467; ONNX RMSNormalization 23). weight has the shape of those axes; without it 1.
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have, or an epsilon below 0.
   */
  rmsNorm<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<NoInfer<O>>;
  /**
   * exp(x - max)/sum over the one `axis` (default -1), in x's shape (ONNX Softmax 13).
   * @throws AttentionError INVALID_ARGUMENT for an axis that x does not have.
   */
  softmax<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: { axis?: number } & OutOption<O>,
  ): Into<NoInfer<O>>;
  /**
   * x·Φ(x) (Hendrycks & Gimpel 2016, arXiv:1606.08415; ONNX Gelu 20): with the exact error function, as BERT has it
   * ('none', the default), or 'tanh', x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), as GPT-2 has it.
   */
  gelu<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: { approximate?: 'none' | 'tanh' } & OutOption<O>,
  ): Into<NoInfer<O>>;
  /** x/(1 + e^-x), also called swish (Elfwing et al. 2017, arXiv:1702.03118). */
  silu<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>>;
  /** max(x, 0) of each value (ONNX Relu). */
  relu<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>>;
  /** The hyperbolic tangent of each value (ONNX Tanh): the activation of BERT's pooler. */
  tanh<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>>;
  /**
   * x + y, broadcast from the right (ONNX Add; NumPy's rule).
   * @throws AttentionError SHAPE_MISMATCH where sizes of an axis differ and none of them is 1.
   */
  add<O extends Out | undefined = undefined>(x: TensorLike, y: TensorLike, options?: OutOption<O>): Into<NoInfer<O>>;
  /**
   * The position-wise feed-forward network: down(act(up x)) (Vaswani et al. 2017, 3.3), or with a gate
   * down(act(gate x) ⊙ up x) (Shazeer 2020, arXiv:2002.05202). x [...,E] → [...,E]. `activation` is 'relu' by default.
   * @throws AttentionError SHAPE_MISMATCH naming the weight; INVALID_ARGUMENT for a gateBias without a gate.
   */
  feedForward<O extends Out | undefined = undefined>(
    x: TensorLike,
    weights: FeedForwardWeights,
    options?: { activation?: 'relu' | 'gelu' | 'gelu_tanh' | 'silu'; out?: O },
  ): Into<NoInfer<O>>;
  /**
   * Rows of table [V,E] by integer ids: [S] → [S,E], [B,S] → [B,S,E] (torch.nn.functional.embedding).
   * @throws AttentionError INVALID_ARGUMENT for an id outside 0..V-1; UNSUPPORTED_DTYPE for ids that are no integers.
   */
  embedding<O extends Out | undefined = undefined>(
    ids: Integers | TensorLike,
    table: TensorLike | LinearWeight,
    options?: { out?: O },
  ): Into<NoInfer<O>>;
  /**
   * Rotary positions (Su et al. 2021, arXiv:2104.09864; ONNX RotaryEmbedding 23): pair i of the first `dims` values of
   * each head is turned by position/base^(2i/dims) radians. x, and the result, in the shapes of
   * scaledDotProductAttention's q.
   */
  rotaryEmbedding<O extends Out | undefined = undefined>(x: TensorLike, options?: RotaryOptions<O>): Into<NoInfer<O>>;
  /**
   * Vaswani et al. 2017, 3.5: sin(p/base^(2i/size)) in column 2i, cos of the same in column 2i+1, p = offset + row →
   * [length,size]. offset 0, base 10000 by default; a base of 0 or below is INVALID_ARGUMENT.
   */
  sinusoidalPositions(length: number, size: number, options?: { offset?: number; base?: number }): NdArray;
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
  ): NdArray;

  /**
   * Gives the memory back with every tensor, cache and layer of this engine, and ends its threads; later calls throw
   * DISPOSED. Twice is fine.
   */
  dispose(): void;
}
