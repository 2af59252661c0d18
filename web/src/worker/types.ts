import type { CreateModelOptions, Model, ModelFiles } from '../models/types.js';
import type {
  Attention,
  AttentionMapOptions,
  AttentionOptions,
  AttentionResult,
  DType,
  Integers,
  KvCacheConfig,
  LinearAttentionOptions,
  LoadOptions,
  MultiHeadConfig,
  MultiHeadExtras,
  NdArray,
  OptionalInputs,
  OutOption,
  ProjectionWeights,
  Stage,
  TensorLike,
  TransformerConfig,
  TransformerDecoderOptions,
  TransformerDecoderResult,
  TransformerOptions,
  TransformerResult,
} from '../types.js';

/** Which build the worker loads, from where, and how the worker is made. */
export interface WorkerLoadOptions extends LoadOptions {
  /**
   * Default: a module worker from the package's own file (worker_threads in Node.js), never a blob: URL. What it throws
   * is the cause of LOAD_FAILED. Where a bundler, a policy or Trusted Types need it:
   * `() => new Worker(new URL('attention-wasm/worker-entry', import.meta.url), { type: 'module' })`.
   */
  worker?: () => {
    /** As a Worker of the platform has it; used once, to hand over a message port. */
    postMessage(message: unknown, transfer: unknown[]): void;
    /** Ends the worker: called by dispose(), and where loading fails. */
    terminate(): unknown;
  };
}

/** How one call in the worker is followed, given up, and given its arrays. */
export interface CallOptions {
  /**
   * Rejects at once with ABORTED, cause = signal.reason. The worker is free again within 50 ms, with or without shared
   * memory; tensors, caches and models are as before the call. None by default.
   */
  signal?: AbortSignal;
  /** Blocks done of all: never falls, comes at most every 16 ms, and ends with done === total. None by default. */
  onProgress?: (done: number, total: number) => void;
  /** Moves the arrays' buffers instead of copying: the caller's are empty afterwards. False by default. */
  transfer?: boolean;
}

/**
 * A tensor that stays in the worker: nothing is copied where it is passed in. Freed by `using`, dispose(), or late.
 * Calls of another worker refuse it with INVALID_ARGUMENT.
 */
export interface RemoteTensor<D extends DType = DType> extends Disposable {
  /** Sizes, the outermost axis first; fixed when the tensor is made. */
  readonly shape: readonly number[];
  /** The same as `shape`. */
  readonly dims: readonly number[];
  /** Element type; fixed when the tensor is made. */
  readonly dtype: D;
  /**
   * A copy of its values; the array is that of TensorData for its dtype.
   * @throws AttentionError ABORTED; DISPOSED after dispose(), of the tensor or its engine.
   */
  read(call?: CallOptions): Promise<NdArray>;
  /** Gives its memory back once earlier calls have ended; later calls reject with DISPOSED. May be called twice. */
  dispose(): void;
}

/** An input of a call: arrays, which travel to the worker, or a tensor that is there. */
export type Input = TensorLike | RemoteTensor;
type Place = RemoteTensor<'float32'> | undefined;

/**
 * Attention, in a worker: names, defaults, shapes and errors are those of the main entry. Calls run one after another,
 * in order. Masks come from the main entry; their rules are evaluated by the caller. Single layers are left out: the
 * trip costs more than the layer.
 *
 * @throws AttentionError where promises reject, beside the errors of the function itself: ABORTED by the call's signal;
 * DISPOSED; INVALID_ARGUMENT for an `out` that is no tensor of this worker, and for memory that cannot be sent to it.
 */
export interface AsyncAttention extends Disposable {
  /** What was loaded. memoryBytes and highWaterBytes are those after the last finished call. */
  readonly info: Attention['info'];
  /** A copy in the worker, for inputs used more than once. Float64 becomes float32, int64 and uint8 int32. */
  tensor(data: TensorLike, call?: CallOptions): Promise<RemoteTensor>;
  /**
   * A tensor of zeros in the worker, to be given as `out`.
   * @param dtype 'float32' by default.
   */
  zeros<D extends DType = 'float32'>(shape: readonly number[], dtype?: D): Promise<RemoteTensor<D>>;
  /**
   * softmax(scale·Q·Kᵀ + masks)·V (Vaswani et al. 2017, arXiv:1706.03762; ONNX Attention 25) in the shapes of
   * Attention.scaledDotProductAttention. `out` is a tensor of this worker.
   */
  scaledDotProductAttention<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    q: Input,
    k: Input,
    v: Input,
    options?: AttentionOptions<W, L, O> & OutOption<Place> & CallOptions,
  ): Promise<AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>>;
  /**
   * Sequences packed end to end (Dao 2023, arXiv:2307.08691): q [Tq,H,D], k [Tkv,Hkv,D], v [Tkv,Hkv,Dv], prefix sums
   * [B+1] → output [Tq,H,Dv], logSumExp [H,Tq]; as Attention.variableLengthAttention.
   */
  variableLengthAttention<L extends boolean = false, O = undefined>(
    q: Input,
    k: Input,
    v: Input,
    options: AttentionOptions<false, L, O> &
      OutOption<Place> &
      CallOptions & { cuSeqlensQ: Integers; cuSeqlensKv: Integers },
  ): Promise<AttentionResult<false, NoInfer<L>, NoInfer<O>>>;
  /** Multi-head self-attention (Vaswani et al. 2017, 3.2.2) over x [B,S,E] or [S,E]; as Attention.selfAttention. */
  selfAttention<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    x: Input,
    projections: ProjectionWeights<Input>,
    options?: AttentionOptions<W, L, O> & OutOption<Place> & CallOptions,
  ): Promise<AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>>;
  /** Queries from x [B,Sq,E], keys and values from context [B,Skv,Ec]; as Attention.crossAttention. */
  crossAttention<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    x: Input,
    context: Input,
    projections: ProjectionWeights<Input>,
    options?: AttentionOptions<W, L, O> & OutOption<Place> & CallOptions,
  ): Promise<AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>>;
  /**
   * φ(q)·(φ(K)ᵀV) / (φ(q)·ΣφK), in O(S) (Katharopoulos et al. 2020, arXiv:2006.16236); as Attention.linearAttention.
   */
  linearAttention(
    q: Input,
    k: Input,
    v: Input,
    options?: LinearAttentionOptions & CallOptions,
  ): Promise<{
    /** Of q's shape with Dv in the place of D. */
    output: NdArray;
  }>;
  /** The probabilities at the size of a screen, [B,H,R,C], at most 256×256 by default; as Attention.attentionMap. */
  attentionMap(q: Input, k: Input, options?: AttentionMapOptions & CallOptions): Promise<NdArray>;
  /** The layer of torch.nn.MultiheadAttention by its state-dict names, with its weights in the worker. */
  multiHeadAttention(
    config: MultiHeadConfig,
    weights: Readonly<Record<string, Input>>,
    call?: CallOptions,
  ): Promise<AsyncMultiHeadAttention>;
  /** torch.nn.TransformerEncoderLayer by its state dict, with its weights in the worker. */
  transformerEncoderLayer(
    config: TransformerConfig,
    stateDict: Readonly<Record<string, Input>>,
    call?: CallOptions,
  ): Promise<AsyncTransformerEncoder<NdArray>>;
  /** torch.nn.TransformerDecoderLayer by its state dict, with its weights in the worker. */
  transformerDecoderLayer(
    config: TransformerConfig,
    stateDict: Readonly<Record<string, Input>>,
    call?: CallOptions,
  ): Promise<AsyncTransformerDecoder<NdArray>>;
  /** torch.nn.TransformerEncoder by its state dict, with its weights in the worker. */
  transformerEncoder(
    config: TransformerConfig,
    stateDict: Readonly<Record<string, Input>>,
    call?: CallOptions,
  ): Promise<AsyncTransformerEncoder>;
  /** torch.nn.TransformerDecoder by its state dict, with its weights in the worker. */
  transformerDecoder(
    config: TransformerConfig,
    stateDict: Readonly<Record<string, Input>>,
    call?: CallOptions,
  ): Promise<AsyncTransformerDecoder>;
  /** Keys and values of a sequence so far, in the worker; as Attention.kvCache. */
  kvCache(config: KvCacheConfig): Promise<AsyncKvCache>;
  /**
   * The Model of 'attention-wasm/models', living in the worker. With `transfer: true` the file's buffer moves there.
   * @param call The options of createModel() beside those of a call.
   * @throws AttentionError as createModel().
   */
  createModel(files: ModelFiles, call?: CallOptions & CreateModelOptions): Promise<Model>;
  /**
   * Ends the worker and everything in it. Calls under way and later calls reject with DISPOSED. May be called twice.
   * Calls also reject with DISPOSED when the worker is terminated by other code or ends by an uncaught error. Browsers
   * do not report a termination: there, calls under way never settle.
   */
  dispose(): void;
}

/** What the layer takes beside attention's options, as MultiHeadExtras. */
export interface AsyncMultiHeadExtras extends Omit<MultiHeadExtras, 'cache'> {
  /** A cache of this worker. Projected keys and values are appended to it, and `causal` is true by default. */
  cache?: AsyncKvCache;
}

/** torch.nn.MultiheadAttention, batch first, with its weights in the worker. */
export interface AsyncMultiHeadAttention extends Disposable {
  /**
   * query [B,Sq,E] or [Sq,E], key [B,Skv,kdim], value [B,Skv,vdim] → output [B,Sq,E] or [Sq,E]. The key defaults to the
   * query, the value to the key; as MultiHeadAttention.forward.
   */
  forward<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    query: Input,
    ...rest: OptionalInputs<Input, AttentionOptions<W, L, O> & OutOption<Place> & CallOptions & AsyncMultiHeadExtras>
  ): Promise<AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>>;
  /** Gives the weights' memory back once the calls made before have ended; later ones reject with DISPOSED. */
  dispose(): void;
}

/** An encoder of torch's with its weights in the worker. `Maps`: one map of a layer, one for each layer of a stack. */
export interface AsyncTransformerEncoder<Maps = NdArray[]> extends Disposable {
  /** x [B,S,E] or [S,E] → output of x's shape; as TransformerEncoder.forward. `out` is a tensor of this worker. */
  forward<W extends boolean = false, O extends Place = undefined>(
    x: Input,
    options?: TransformerOptions<W, O> & Omit<CallOptions, 'onProgress'>,
  ): Promise<TransformerResult<NoInfer<W>, NoInfer<O>, Maps>>;
  /** Gives the weights' memory back once the calls made before have ended; later ones reject with DISPOSED. */
  dispose(): void;
}

/** A decoder of torch's with its weights in the worker. `Maps`: one map of a layer, one for each layer of a stack. */
export interface AsyncTransformerDecoder<Maps = NdArray[]> extends Disposable {
  /**
   * x [B,S,E] or [S,E], memory [B,Sm,E] or [Sm,E] → output of x's shape; as TransformerDecoder.forward. `out` is a
   * tensor of this worker.
   */
  forward<W extends boolean = false, O extends Place = undefined>(
    x: Input,
    memory: Input,
    options?: TransformerDecoderOptions<W, O> & Omit<CallOptions, 'onProgress'>,
  ): Promise<TransformerDecoderResult<NoInfer<W>, NoInfer<O>, Maps>>;
  /** Gives the weights' memory back once the calls made before have ended; later ones reject with DISPOSED. */
  dispose(): void;
}

/**
 * A KvCache in the worker. length and byteLength are those after the last finished call.
 * @throws AttentionError DISPOSED after dispose(), of the cache or its engine.
 */
export interface AsyncKvCache extends Disposable {
  /** Positions seen, also evicted ones: the next one's number. */
  readonly length: number;
  /** Keys stored per batch entry, in tokens: the config's, or its default. */
  readonly capacity: number;
  /** Bytes of the pages it holds, also of those it shares with forks. */
  readonly byteLength: number;
  /**
   * Adds k [B,Hkv,S,D] and v [B,Hkv,S,Dv], or in any other shape of scaledDotProductAttention; as KvCache.append.
   * @throws AttentionError CAPACITY_EXCEEDED where there is no window; nothing is appended then.
   */
  append(k: Input, v: Input, options?: { layout?: 'BHSD' | 'BSHD'; numKvHeads?: number } & CallOptions): Promise<void>;
  /** Appends, then attends over everything held, causal by default; k and v null: attends only. As KvCache.attend. */
  attend<W extends boolean | Stage = false, L extends boolean = false, O = undefined>(
    q: Input,
    k: Input | null,
    v: Input | null,
    options?: AttentionOptions<W, L, O> & OutOption<Place> & CallOptions,
  ): Promise<AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>>;
  /**
   * Forgets positions from `length` on, as KvCache.truncate.
   * @throws AttentionError INVALID_ARGUMENT above the present length, or where a window would reach what was evicted.
   */
  truncate(length: number): Promise<void>;
  /** Forgets every position and gives the pages back. */
  clear(): Promise<void>;
  /** A cache of the same contents in the same worker. Both share pages until one of them writes. */
  fork(): Promise<AsyncKvCache>;
  /** The contents, for load() of a cache of the same config, here or on any other thread. */
  toBytes(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Takes the contents of toBytes() in the place of its own.
   * @throws AttentionError CORRUPT_FILE; INVALID_ARGUMENT for a cache of another config.
   */
  load(bytes: Uint8Array): Promise<void>;
  /** Gives its pages back once earlier calls have ended; later calls reject with DISPOSED. May be called twice. */
  dispose(): void;
}
