/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The types of the package's main entry.
 *
 * Letters used everywhere: B batch · H query heads · Hkv key/value heads · Sq query length · Skv key length ·
 * D query/key head size · Dv value head size · E embedding size · V vocabulary.
 */

// Named here so that the types also compile where neither lib.dom nor Node's types are loaded.
declare global {
  namespace WebAssembly {
    interface Module {}
  }
  interface URL {}
  interface Response {}
  interface AbortSignal {}
}

/** IEEE half floats; by shape, so that older TypeScript libraries read it too. */
export interface Float16ArrayLike extends ArrayLike<number> {
  readonly buffer: ArrayBufferLike;
  readonly [Symbol.toStringTag]: 'Float16Array';
}

export type DType = 'float32' | 'float16' | 'int8' | 'int32' | 'bool';

/**
 * Anything with data and a shape: this package's tensors (read in place when of the same engine, else
 * INVALID_ARGUMENT), onnxruntime and transformers.js tensors (`dims`, `type`), plain objects.
 *
 * The element type comes from `dtype`, else `type`, else the array; a Uint16Array without either is
 * UNSUPPORTED_DTYPE, never a guess. Float64 is rounded to float32. Everything is computed in float32 and every result
 * is float32. Arrays are copied in on each call; `embedding` copies only the rows asked for.
 */
export type TensorLike =
  | ({
      readonly data:
        | Float32Array
        | Float64Array
        | Float16ArrayLike
        | Uint16Array
        | Int32Array
        | Int8Array
        | Uint8Array
        | BigInt64Array;
      readonly dtype?: DType | 'float64' | 'int64' | 'uint8';
    } & ({ readonly shape: readonly number[] } | { readonly dims: readonly number[] }))
  | { readonly data: ArrayLike<unknown>; readonly dims: readonly number[]; readonly type: string };

/** Ids, lengths, positions: int64 as tokenizers and onnxruntime give it is welcome. */
export type Integers = ArrayLike<number | bigint>;

/** A result owned by JavaScript: an ordinary copy, garbage collected, transferable, never a view that can go stale. */
export interface NdArray {
  data: Float32Array<ArrayBuffer>;
  shape: number[];
  /** The same as `shape`. */
  dims: number[];
}

/** The array behind `Tensor.data`, by element type. */
export interface TensorData {
  float32: Float32Array;
  float16: Uint16Array;
  int8: Int8Array;
  int32: Int32Array;
  bool: Uint8Array;
}

/**
 * A tensor in WebAssembly memory: no copy in or out. Free it with `using` or dispose() (twice is fine); collectors do
 * not see WebAssembly memory, so the finaliser is only a net.
 */
export interface Tensor<D extends DType = DType> extends Disposable {
  readonly shape: readonly number[];
  readonly dims: readonly number[];
  readonly dtype: D;
  /**
   * A live view, made anew if memory has grown; valid until the next call. Writable: nothing is remembered of its
   * contents between calls.
   * @throws AttentionError DISPOSED after dispose.
   */
  readonly data: TensorData[D];
  dispose(): void;
}

/**
 * Where to put an output: float32, of its shape (Tensor) or length (array). It is returned in the result's place (an
 * NdArray over the array, or the Tensor itself). Element-wise layers, norms and softmax may write onto x; any other
 * overlap with an input is INVALID_ARGUMENT.
 */
export type Out = Tensor<'float32'> | Float32Array;
export type Into<O> = O extends { dispose(): void } ? O : NdArray;

export type Variant = 'simd' | 'relaxed-simd';

export interface LoadOptions {
  /**
   * 'auto' (default) takes the fastest variant whose numerical self-test passes here; a named one is taken or refused
   * (UNSUPPORTED_ENGINE).
   */
  variant?: 'auto' | Variant;
  /**
   * Where the module's bytes come from: bundlers, CDNs, strict CSP, offline, edge. The address or the content of one
   * .wasm file, or a function from the file's name to its address. Bytes of another variant than the one named:
   * INVALID_ARGUMENT. Default: the files beside this module.
   */
  wasm?: string | URL | ArrayBuffer | Uint8Array | Response | WebAssembly.Module | ((file: string) => string | URL);
  /** Default 4 GiB, at least 4 MiB. Past it: OUT_OF_MEMORY, and the engine works on. */
  maximumMemoryBytes?: number;
  /** Rejects with ABORTED, cause = signal.reason. */
  signal?: AbortSignal;
}

/**
 * Steps in order: scores (scale·q·k) → softcapped → biased (masks added, -Infinity where masked) → probabilities.
 * There is no softcap yet, so 'softcapped' equals 'scores'.
 */
export type Stage = 'scores' | 'softcapped' | 'biased' | 'probabilities';

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
  /**
   * Position of query 0 among the keys, for causal; may be negative; one number or one per batch entry. Default 0, or
   * what 'lower-right' says. INVALID_ARGUMENT beside 'upper-left' and 'lower-right'.
   */
  queryOffset?: number | Integers;
  /**
   * bool: non-zero attends. float: added after the scale; only -Infinity masks. Broadcast from the right to
   * [B,H,Sq,Skv]; a last axis of 1 broadcasts, another short one is padded with "masked". Integers other than bool:
   * UNSUPPORTED_DTYPE.
   */
  mask?: TensorLike;
  /**
   * [B,Skv], bool or integers: non-zero attends (Hugging Face's attention_mask). torch's key_padding_mask and
   * MultiheadAttention's bool attn_mask have the OPPOSITE sense: invert them.
   */
  attentionMask?: TensorLike;
  /** [B] number of valid keys. Cuts keys only: rows of padded queries are computed like any other. */
  kvLengths?: Integers;
}

export interface AttentionOptions<
  W extends boolean | Stage = boolean | Stage,
  L extends boolean = boolean,
  O = Out | undefined,
> extends AttentionRules {
  /** Values beside the output, B·H·Sq·Skv·4 bytes; true means 'probabilities'. */
  weights?: W;
  /** Natural log of the softmax denominator: -Infinity where a row may attend to nothing. */
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

/** query [H·D,E], key [Hkv·D,E], value [Hkv·Dv,E], output [E,H·Dv]; biases as long as the rows. */
export interface ProjectionWeights<T = TensorLike> {
  query: T;
  key: T;
  value: T;
  output?: T;
  queryBias?: T;
  keyBias?: T;
  valueBias?: T;
  outputBias?: T;
}

/** up [F,E], down [E,F], gate [F,E]. */
export interface FeedForwardWeights {
  up: TensorLike;
  down: TensorLike;
  gate?: TensorLike;
  upBias?: TensorLike;
  downBias?: TensorLike;
  gateBias?: TensorLike;
}

export interface Attention extends Disposable {
  readonly info: {
    readonly variant: Variant;
    readonly threads: number;
    readonly version: string;
    readonly memoryBytes: number;
  };
  /**
   * A copy in WebAssembly memory, for inputs used more than once. Float64 becomes float32, int64 and uint8 int32.
   * @param dtype 'float32' widens float16 once, instead of at each use.
   */
  tensor(data: TensorLike & { readonly data: Float32Array | Float64Array }): Tensor<'float32'>;
  tensor(data: TensorLike): Tensor;
  tensor(data: TensorLike, dtype: 'float32'): Tensor<'float32'>;
  /** @param dtype 'float32' by default. */
  zeros<D extends DType = 'float32'>(shape: readonly number[], dtype?: D): Tensor<D>;

  /**
   * softmax(scale·Q·Kᵀ + masks)·V (Vaswani et al. 2017; ONNX Attention 23), fused: memory grows with S, never with S².
   *
   * q, k and v have one rank: [Sq,D] → [Sq,Dv] · [H,Sq,D] → [H,Sq,Dv] · with numHeads [B,Sq,H·D] → [B,Sq,H·Dv] and
   * [Sq,H·D] → [Sq,H·Dv] · BHSD → [B,H,Sq,Dv] · BSHD → [B,Sq,H,Dv]. A row that may attend to nothing gives zeros.
   *
   * @throws AttentionError SHAPE_MISMATCH where sizes do not fit, UNSUPPORTED_DTYPE, INVALID_ARGUMENT,
   * OUT_OF_MEMORY (also for `weights`, before any work), DISPOSED.
   */
  scaledDotProductAttention: AttentionCall<[q: TensorLike, k: TensorLike, v: TensorLike]>;
  /** x [B,S,E] or [S,E]; numHeads defaults to 1. Without an output projection the result is [B,S,H·Dv]. */
  selfAttention: AttentionCall<[x: TensorLike, projections: ProjectionWeights]>;
  /** Queries from x [B,Sq,E], keys and values from context [B,Skv,Ec]; else as selfAttention. */
  crossAttention: AttentionCall<[x: TensorLike, context: TensorLike, projections: ProjectionWeights]>;

  /** x·weightᵀ + bias: x [...,in], weight [out,in], bias [out] → [...,out]. */
  linear<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight: TensorLike,
    bias?: TensorLike | null,
    options?: { out?: O },
  ): Into<NoInfer<O>>;
  /**
   * (x - mean)/sqrt(variance + epsilon)·weight + bias over `axis` (default -1) to the end; biased variance, epsilon
   * 1e-5 by default (Ba et al. 2016; ONNX LayerNormalization). weight and bias have the shape of those axes.
   */
  layerNorm<O extends Out | undefined = undefined>(
    x: TensorLike,
    weight?: TensorLike | null,
    bias?: TensorLike | null,
    options?: { axis?: number; epsilon?: number; out?: O },
  ): Into<NoInfer<O>>;
  /** exp(x - max)/sum over `axis` (default -1). */
  softmax<O extends Out | undefined = undefined>(x: TensorLike, options?: { axis?: number; out?: O }): Into<NoInfer<O>>;
  /** x·Φ(x) with the exact error function, as BERT has it (Hendrycks & Gimpel 2016). */
  gelu<O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: { approximate?: 'none'; out?: O },
  ): Into<NoInfer<O>>;
  /** The hyperbolic tangent of each value: the activation of BERT's pooler. */
  tanh<O extends Out | undefined = undefined>(x: TensorLike, options?: { out?: O }): Into<NoInfer<O>>;
  /** x + y, broadcast from the right. */
  add<O extends Out | undefined = undefined>(x: TensorLike, y: TensorLike, options?: { out?: O }): Into<NoInfer<O>>;
  /**
   * down(act(up x)), or with a gate down(act(gate x) ⊙ up x) (Shazeer 2020). x [...,E] → [...,E].
   * `activation` is 'relu' by default.
   */
  feedForward<O extends Out | undefined = undefined>(
    x: TensorLike,
    weights: FeedForwardWeights,
    options?: { activation?: 'relu' | 'gelu'; out?: O },
  ): Into<NoInfer<O>>;
  /** Rows of table [V,E]: ids [S] → [S,E], [B,S] → [B,S,E]; an id outside the table is INVALID_ARGUMENT. */
  embedding<O extends Out | undefined = undefined>(
    ids: Integers | TensorLike,
    table: TensorLike,
    options?: { out?: O },
  ): Into<NoInfer<O>>;
  /** Vaswani et al. 2017: sin on even and cos on odd columns → [length,size]. offset 0, base 10000 by default. */
  sinusoidalPositions(length: number, size: number, options?: { offset?: number; base?: number }): NdArray;

  /** Gives the memory back with every tensor of this engine; later calls throw DISPOSED. Twice is fine. */
  dispose(): void;
}

export type AttentionErrorCode =
  | 'SHAPE_MISMATCH'
  | 'INVALID_ARGUMENT'
  | 'UNSUPPORTED_DTYPE'
  | 'OUT_OF_MEMORY'
  | 'DISPOSED'
  | 'ABORTED'
  | 'LOAD_FAILED'
  | 'UNSUPPORTED_ENGINE'
  | 'CORRUPT_FILE';
