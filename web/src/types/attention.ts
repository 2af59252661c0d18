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
import type { DType, Integers, Into, NdArray, Out, Tensor, TensorLike } from './tensors.js';
import type {
  FeedForwardWeights,
  LinearWeight,
  MultiHeadAttention,
  MultiHeadConfig,
  ProjectionWeights,
  RopeScaling,
} from './weights.js';

export interface RotaryOptions<O = undefined> {
  /** Of rank 4; 'BHSD' by default. */
  layout?: 'BHSD' | 'BSHD';
  /** Of packed x. */
  numHeads?: number;
  /** [S], or [B·S]; 0..S-1 by default. */
  positions?: Integers;
  /** 10000 by default. */
  base?: number;
  /** How many of the D values are rotated: even, D by default; the others are copied. */
  dims?: number;
  /** Pairs of neighbours (GPT-J) instead of halves (GPT-NeoX, Llama). */
  interleaved?: boolean;
  /** Given angles instead of `base`: [S,dims/2] or [B,S,dims/2]; with `positions`, caches [P,dims/2] by position. */
  cos?: TensorLike;
  sin?: TensorLike;
  scaling?: RopeScaling;
  out?: O;
}

/** What element-wise layers take. */
export interface OutOption<O> {
  /** May be x itself. */
  out?: O;
}

/**
 * An engine: every function over its own WebAssembly memory. Each throws AttentionError: SHAPE_MISMATCH where sizes do
 * not fit, UNSUPPORTED_DTYPE, INVALID_ARGUMENT, OUT_OF_MEMORY before any work, DISPOSED.
 */
export interface Attention extends Disposable {
  readonly info: {
    readonly variant: Variant;
    readonly threads: number;
    /** Why there is one thread, where \`threads: 'auto'\` got no more. */
    readonly threadsReason?: string;
    readonly version: string;
    /** The size of the engine's memory. */
    readonly memoryBytes: number;
    /** The most that one call held beside tensors: inputs copied in, scratch, results to be copied out. */
    readonly highWaterBytes: number;
  };
  /**
   * A copy in WebAssembly memory, for inputs used more than once. Float64 becomes float32, int64 and uint8 int32.
   * As dtype, 'float32' widens float16 once, instead of at each use.
   */
  tensor(data: TensorLike & { readonly data: Float32Array | Float64Array }): Tensor<'float32'>;
  tensor(data: TensorLike): Tensor;
  tensor(data: TensorLike, dtype: 'float32'): Tensor<'float32'>;
  /** @param dtype 'float32' by default. */
  zeros<D extends DType = 'float32'>(shape: readonly number[], dtype?: D): Tensor<D>;

  /**
   * softmax(scale·Q·Kᵀ + masks)·V (Vaswani et al. 2017; ONNX Attention 25), fused: memory grows with S, never with S².
   *
   * q, k and v have one rank: [Sq,D] → [Sq,Dv] · [H,Sq,D] → [H,Sq,Dv] · with numHeads [B,Sq,H·D] → [B,Sq,H·Dv] and
   * [Sq,H·D] → [Sq,H·Dv] · BHSD → [B,H,Sq,Dv] · BSHD → [B,Sq,H,Dv]. A row that may attend to nothing gives zeros.
   *
   * @throws AttentionError OUT_OF_MEMORY also for `weights`, before any work.
   */
  scaledDotProductAttention: AttentionCall<[q: TensorLike, k: TensorLike, v: TensorLike]>;
  /**
   * Sequences packed end to end (FlashAttention's varlen): q [Tq,H,D], k [Tkv,Hkv,D], v [Tkv,Hkv,Dv], prefix sums [B+1]
   * → output [Tq,H,Dv], logSumExp [H,Tq]. Each sequence attends within itself; positions, rules and lengths count
   * within it, and dense masks broadcast to [B,H,longest Sq,longest Skv]. `layout` and `weights` are refused.
   */
  variableLengthAttention<L extends boolean = false, O extends Out | undefined = undefined>(
    q: TensorLike,
    k: TensorLike,
    v: TensorLike,
    options: AttentionOptions<false, L, O> & { cuSeqlensQ: Integers; cuSeqlensKv: Integers },
  ): AttentionResult<false, NoInfer<L>, NoInfer<O>>;
  /** x [B,S,E] or [S,E]; numHeads defaults to 1. Without an output projection the result is [B,S,H·Dv]. */
  selfAttention: AttentionCall<[x: TensorLike, projections: ProjectionWeights<TensorLike | LinearWeight>]>;
  /** Queries from x [B,Sq,E], keys and values from context [B,Skv,Ec]; else as selfAttention. */
  crossAttention: AttentionCall<
    [x: TensorLike, context: TensorLike, projections: ProjectionWeights<TensorLike | LinearWeight>]
  >;
  /**
   * The layer of torch.nn.MultiheadAttention by its state-dict names: in_proj_weight [(H+2·Hkv)·D,E] or q_proj_weight
   * [E,E], k_proj_weight [Hkv·D,kdim], v_proj_weight [Hkv·D,vdim]; in_proj_bias; out_proj.weight [E,E], out_proj.bias.
   * Any other name is INVALID_ARGUMENT naming it. Batch first. The weights are copied; dispose() gives them back.
   */
  multiHeadAttention(config: MultiHeadConfig, weights: Readonly<Record<string, TensorLike>>): MultiHeadAttention;
  /** Keys and values of a sequence so far, for decoding token by token. `headDim` is D, `valueDim` Dv. */
  kvCache(config: KvCacheConfig): KvCache;
  /**
   * φ(q)·(φ(K)ᵀV) / (φ(q)·ΣφK), in O(S) (Katharopoulos et al. 2020). Shapes as scaledDotProductAttention. A denominator
   * of 0 gives zeros.
   */
  linearAttention(q: TensorLike, k: TensorLike, v: TensorLike, options?: LinearAttentionOptions): { output: NdArray };
  /**
   * The probabilities at the size of a screen, in memory that grows with S and the map: [B,H,R,C]. Cell r of R covers
   * rows floor(r·n/R) .. floor((r+1)·n/R) of the range's n.
   */
  attentionMap(q: TensorLike, k: TensorLike, options?: AttentionMapOptions): NdArray;
  /** The same object that the module exports. */
  readonly masks: Masks;

  /** x·weightᵀ + bias: x [...,in], weight [out,in], bias [out] → [...,out]. */
  linear<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight: TensorLike | LinearWeight,
    bias?: TensorLike | null,
    options?: { out?: O },
  ): Into<NoInfer<O>>;
  /**
   * A copy of a linear layer's weight [out,in] as its kernel reads it, for weights used more than once. 'int8' takes a
   * quarter of the memory: each output has a factor, max|w|/127 of its weights, and |error| ≤ max|w|/254 of each.
   */
  linearWeight(weight: TensorLike, options?: { dtype?: 'float32' | 'int8' }): LinearWeight;
  /**
   * (x - mean)/sqrt(variance + epsilon)·weight + bias over `axis` (default -1) to the end; biased variance, epsilon
   * 1e-5 by default (Ba et al. 2016; ONNX LayerNormalization). weight and bias have the shape of those axes.
   */
  layerNorm<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    bias?: TensorLike | null,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<NoInfer<O>>;
  /**
   * x/sqrt(mean(x²) + epsilon)·weight over `axis` (default -1) to the end, epsilon 1e-5 by default (Zhang & Sennrich
   * 2019; ONNX RMSNormalization). weight has the shape of those axes.
   */
  rmsNorm<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    options?: { axis?: number; epsilon?: number } & OutOption<O>,
  ): Into<NoInfer<O>>;
  /** exp(x - max)/sum over `axis` (default -1). */
  softmax<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: { axis?: number } & OutOption<O>,
  ): Into<NoInfer<O>>;
  /**
   * x·Φ(x) (Hendrycks & Gimpel 2016): with the exact error function, as BERT has it, or 'tanh',
   * x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), as GPT-2 has it.
   */
  gelu<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: { approximate?: 'none' | 'tanh' } & OutOption<O>,
  ): Into<NoInfer<O>>;
  /** x/(1 + e^-x) (Elfwing et al. 2017). */
  silu<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>>;
  /** max(x, 0). */
  relu<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>>;
  /** The hyperbolic tangent of each value: the activation of BERT's pooler. */
  tanh<O extends Out | undefined = undefined>(x: TensorLike, options?: OutOption<O>): Into<NoInfer<O>>;
  /** x + y, broadcast from the right. */
  add<O extends Out | undefined = undefined>(x: TensorLike, y: TensorLike, options?: OutOption<O>): Into<NoInfer<O>>;
  /**
   * down(act(up x)), or with a gate down(act(gate x) ⊙ up x) (Shazeer 2020). x [...,E] → [...,E].
   * `activation` is 'relu' by default.
   */
  feedForward<O extends Out | undefined = undefined>(
    x: TensorLike,
    weights: FeedForwardWeights,
    options?: { activation?: 'relu' | 'gelu' | 'gelu_tanh' | 'silu'; out?: O },
  ): Into<NoInfer<O>>;
  /** Rows of table [V,E]: ids [S] → [S,E], [B,S] → [B,S,E]; an id outside the table is INVALID_ARGUMENT. */
  embedding<O extends Out | undefined = undefined>(
    ids: Integers | TensorLike,
    table: TensorLike | LinearWeight,
    options?: { out?: O },
  ): Into<NoInfer<O>>;
  /**
   * Rotary positions (Su et al. 2021; ONNX RotaryEmbedding 23): pair i of the first `dims` values of each head is turned
   * by position/base^(2i/dims). x in the shapes of scaledDotProductAttention's q.
   */
  rotaryEmbedding<O extends Out | undefined = undefined>(x: TensorLike, options?: RotaryOptions<O>): Into<NoInfer<O>>;
  /** Vaswani et al. 2017: sin on even and cos on odd columns → [length,size]. offset 0, base 10000 by default. */
  sinusoidalPositions(length: number, size: number, options?: { offset?: number; base?: number }): NdArray;
  /** [H] slopes of Press et al. 2022, also for head counts that are not powers of two. */
  alibiSlopes(numHeads: number): NdArray;
  /**
   * How much each position of the input reaches each of the last layer (Abnar & Zuidema 2020): Â_L·…·Â_1 with
   * Â = (A+I)/2, rows renormalised, A fused over the heads. Layers [H,S,S] → [S,S], [B,H,S,S] → [B,S,S]; the first layer
   * first.
   * @param options headFusion 'mean' by default; residual false leaves out I.
   */
  attentionRollout(
    layers: readonly TensorLike[],
    options?: { headFusion?: 'mean' | 'max' | 'min'; residual?: boolean },
  ): NdArray;

  /** Gives the memory back with every tensor and layer of this engine; later calls throw DISPOSED. Twice is fine. */
  dispose(): void;
}
