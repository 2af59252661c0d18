import type { Model, ModelFiles } from '../models/types.js';
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
  NdArray,
  ProjectionWeights,
  Stage,
  TensorLike,
} from '../types.js';

export interface WorkerLoadOptions extends LoadOptions {
  /**
   * Default: a module worker from the package's own file (worker_threads in Node.js), never a blob: URL. Where a bundler,
   * a policy or Trusted Types need it:
   * `() => new Worker(new URL('attention-wasm/worker-entry', import.meta.url), { type: 'module' })`.
   */
  worker?: () => { postMessage(message: unknown, transfer: unknown[]): void; terminate(): unknown };
}

export interface CallOptions {
  /**
   * Rejects at once with ABORTED, cause = signal.reason. The worker is free again within 50 ms, with or without shared
   * memory; tensors, caches and models are as before the call.
   */
  signal?: AbortSignal;
  /** Blocks done of all: never falls, and ends with done === total. */
  onProgress?: (done: number, total: number) => void;
  /** Moves the arrays' buffers instead of copying: the caller's are empty afterwards. False by default. */
  transfer?: boolean;
}

/** A tensor that stays in the worker: nothing is copied where it is passed in. Freed by `using`, dispose(), or late. */
export interface RemoteTensor<D extends DType = DType> extends Disposable {
  readonly shape: readonly number[];
  readonly dims: readonly number[];
  readonly dtype: D;
  read(call?: CallOptions): Promise<NdArray>;
  dispose(): void;
}

export type Input = TensorLike | RemoteTensor;
type Taps = boolean | Stage;
type Place = RemoteTensor<'float32'> | undefined;

type Call<Args extends unknown[], More = unknown> = <
  W extends Taps = false,
  L extends boolean = false,
  O extends Place = undefined,
>(
  ...args: [...Args, options?: AttentionOptions<W, L, O> & CallOptions & More]
) => Promise<AttentionResult<NoInfer<W>, NoInfer<L>, NoInfer<O>>>;

/**
 * Attention, in a worker: names, defaults, shapes and errors are those of the main entry. Calls run one after another, in
 * order. Masks come from the main entry; their rules are evaluated by the caller. Single layers are left out: the trip costs
 * more than the layer.
 */
export interface AsyncAttention extends Disposable {
  /** memoryBytes and highWaterBytes are those after the last finished call. */
  readonly info: Attention['info'];
  tensor(data: TensorLike, call?: CallOptions): Promise<RemoteTensor>;
  zeros<D extends DType = 'float32'>(shape: readonly number[], dtype?: D): Promise<RemoteTensor<D>>;
  scaledDotProductAttention: Call<[q: Input, k: Input, v: Input]>;
  variableLengthAttention<L extends boolean = false, O extends Place = undefined>(
    q: Input,
    k: Input,
    v: Input,
    options: AttentionOptions<false, L, O> & CallOptions & { cuSeqlensQ: Integers; cuSeqlensKv: Integers },
  ): Promise<AttentionResult<false, NoInfer<L>, NoInfer<O>>>;
  selfAttention: Call<[x: Input, projections: ProjectionWeights<Input>]>;
  crossAttention: Call<[x: Input, context: Input, projections: ProjectionWeights<Input>]>;
  linearAttention(
    q: Input,
    k: Input,
    v: Input,
    options?: LinearAttentionOptions & CallOptions,
  ): Promise<{ output: NdArray }>;
  attentionMap(q: Input, k: Input, options?: AttentionMapOptions & CallOptions): Promise<NdArray>;
  multiHeadAttention(
    config: MultiHeadConfig,
    weights: Readonly<Record<string, Input>>,
    call?: CallOptions,
  ): Promise<AsyncMultiHeadAttention>;
  kvCache(config: KvCacheConfig): Promise<AsyncKvCache>;
  /** The Model of 'attention-wasm/models', living in the worker. With `transfer: true` the file's buffer moves there. */
  createModel(files: ModelFiles, call?: CallOptions & { weights?: 'float32' | 'int8' }): Promise<Model>;
  /** Ends the worker; calls under way reject with DISPOSED. */
  dispose(): void;
}

export interface AsyncMultiHeadAttention extends Disposable {
  forward: Call<[query: Input, key?: Input, value?: Input], { averageWeights?: boolean; cache?: AsyncKvCache }> &
    Call<[query: Input], { averageWeights?: boolean; cache?: AsyncKvCache }>;
  dispose(): void;
}

/** length and byteLength are those after the last finished call. */
export interface AsyncKvCache extends Disposable {
  readonly length: number;
  readonly capacity: number;
  readonly byteLength: number;
  append(k: Input, v: Input, options?: { layout?: 'BHSD' | 'BSHD'; numKvHeads?: number } & CallOptions): Promise<void>;
  attend: Call<[q: Input, k: Input | null, v: Input | null]>;
  truncate(length: number): Promise<void>;
  clear(): Promise<void>;
  fork(): Promise<AsyncKvCache>;
  toBytes(): Promise<Uint8Array<ArrayBuffer>>;
  load(bytes: Uint8Array): Promise<void>;
  dispose(): void;
}
