/// <reference lib="esnext.disposable" preserve="true" />
import type { AttentionFunctions } from './functions.js';
import type { KvCache, KvCacheConfig } from './kv-cache.js';
import type { Variant } from './load.js';
import type { Masks } from './masks.js';
import type { DType, NdArray, Tensor, TensorLike } from './tensors.js';
import type { LinearWeight, MultiHeadAttention, MultiHeadConfig } from './weights.js';

/** The functions that scope() gives, with results that stay until it ends. */
export type ScopedAttention = AttentionFunctions<Tensor<'float32'>>;

/** What a scope's work returned, as it comes out: float32 tensors as arrays. */
export type ResultsOf<T> =
  T extends Tensor<'float32'>
    ? NdArray
    : T extends Tensor | ArrayBufferView | ((...args: never[]) => unknown)
      ? T
      : T extends object
        ? { [Key in keyof T]: ResultsOf<T[Key]> }
        : T;

/**
 * An engine: every function over its own WebAssembly memory. Inputs are float32 or float16 where nothing else is said.
 * A method works without its object, here and in all classes of the package: `const { softmax } = attention`.
 *
 * @throws AttentionError from each: SHAPE_MISMATCH where sizes do not fit, UNSUPPORTED_DTYPE, INVALID_ARGUMENT (unknown
 * option keys too, and tensors of another engine), OUT_OF_MEMORY before any work, DISPOSED.
 */
export interface Attention extends AttentionFunctions<NdArray>, Disposable {
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
   * A copy of a linear layer's weight [out,in] as its kernel reads it, for weights used more than once. 'int8' takes a
   * quarter of the memory: each output has a factor, max|w|/127 of its weights, and |error| ≤ max|w|/254 of each.
   * @param options dtype: 'float32' by default.
   * @throws AttentionError SHAPE_MISMATCH where weight is not of rank 2; OUT_OF_MEMORY.
   */
  linearWeight(weight: TensorLike, options?: { dtype?: 'float32' | 'int8' }): LinearWeight;
  /** Builders of mask rules: the same object that the module exports. */
  readonly masks: Masks;

  /**
   * Runs `work` with functions whose results stay in WebAssembly memory, as tensors: the layers of a model made by hand
   * follow one another without a copy in between. What `work` returns is copied out, tensors in arrays and plain
   * objects too; then all of the scope's tensors are disposed.
   * @param work Must not be asynchronous. It receives the functions; those of the engine itself, of layers and of caches
   * give arrays as ever, and take the scope's tensors as inputs and as `out`.
   * @throws AttentionError INVALID_ARGUMENT where work returns a promise; DISPOSED where its functions are used after
   * it; and whatever work throws.
   */
  scope<T>(work: (attention: ScopedAttention) => T): ResultsOf<T>;
  /**
   * Gives the memory back with every tensor, cache and layer of this engine, and ends its threads; later calls throw
   * DISPOSED. May be called twice.
   */
  dispose(): void;
}
