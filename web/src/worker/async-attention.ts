import { bindMethods } from '../bound.js';
import { AttentionError, invalid } from '../errors.js';
import { net } from '../forgotten.js';
import type { ModelFiles } from '../models/types.js';
import { checkFiles } from '../models/wrong-files.js';
import { makeDisposable } from '../tensor.js';
import type { Attention, AttentionResult, DType, NdArray, TensorLike } from '../types.js';
import { AsyncCache } from './async-cache.js';
import { AsyncModel } from './async-model.js';
import { type Link, type Told, told } from './link.js';
import type { Method } from './messages.js';
import { type Home, Remote } from './remote.js';
import { attendedBy } from './results.js';
import type { AsyncAttention, CallOptions } from './types.js';

/** Ends a worker of which nothing is held any more. */
const forgotten = net<Link>((link) => {
  if (link.isEnded) return false;
  link.end(new AttentionError('DISPOSED', undefined, 'this engine was forgotten'));
  return true;
});

const untold = told('call', undefined)[0];

class AsyncTensor extends Remote {
  readonly shape: readonly number[];
  readonly dtype: DType;

  constructor(home: Home, handle: number, { shape, dtype }: { shape: readonly number[]; dtype: DType }) {
    super(home, handle);
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
  }

  get dims(): readonly number[] {
    return this.shape;
  }

  async read(call?: CallOptions): Promise<NdArray> {
    const [how] = told('call', call);
    this.refuseDisposed('tensor');
    return this.link.call(this.handle, 'read', [], how);
  }
}

/** What the worker says of something that it made. */
type Made = ConstructorParameters<typeof AsyncTensor>[2] &
  ConstructorParameters<typeof AsyncCache>[2] &
  ConstructorParameters<typeof AsyncModel>[2];

class AsyncMultiHead extends Remote {
  /** forward(query, options?) or forward(query, key, value?, options?). */
  async forward(query: unknown, ...rest: unknown[]): Promise<AttentionResult> {
    this.refuseDisposed('layer');
    const isShort = rest.length === 1 && !isInput(rest[0]);
    const [key, value, options] = isShort ? [undefined, undefined, rest[0]] : rest;
    return attendedBy(this.link, this.handle, 'forward', [query, key, value], options as CallOptions);
  }
}

class AsyncTransformer extends Remote {
  readonly #inputs: number;

  constructor(home: Home, handle: number, inputs: number) {
    super(home, handle);
    this.#inputs = inputs;
  }

  /** forward(x, options?) of encoders, forward(x, memory, options?) of decoders. */
  async forward(...given: unknown[]): Promise<AttentionResult> {
    this.refuseDisposed('layer');
    const inputs = Array.from({ length: this.#inputs }, (_, i) => given[i]);
    const options = given[this.#inputs] as CallOptions | undefined;
    if (options?.onProgress !== undefined) {
      throw invalid('options.onProgress', options.onProgress, 'none: a transformer is many calls');
    }
    return attendedBy(this.link, this.handle, 'forward', inputs, options);
  }
}

function isInput(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value instanceof Remote || 'data' in value);
}

type TransformerArguments = [config: unknown, stateDict: unknown, call?: CallOptions];

/** The functions of an engine in a worker. */
class WorkerAttention {
  /** @internal */
  readonly link: Link;
  readonly #info: Attention['info'];

  constructor(link: Link, info: Attention['info']) {
    this.link = link;
    this.#info = info;
    forgotten.register(this, link, this);
    bindMethods(this);
  }

  get info(): Attention['info'] {
    return { ...this.#info, ...this.link.memory, ...(this.link.isEnded && { memoryBytes: 0, highWaterBytes: 0 }) };
  }

  async tensor(data: TensorLike, call?: CallOptions) {
    const [how] = told('call', call);
    return this.#make('tensor', [data], how, (handle, made) => new AsyncTensor(this, handle, made));
  }

  async zeros(shape: readonly number[], dtype?: DType) {
    return this.#make('zeros', [shape, dtype], untold, (handle, made) => new AsyncTensor(this, handle, made));
  }

  async scaledDotProductAttention(q: unknown, k: unknown, v: unknown, options?: CallOptions) {
    return attendedBy(this.link, 0, 'scaledDotProductAttention', [q, k, v], options);
  }

  async variableLengthAttention(q: unknown, k: unknown, v: unknown, options?: CallOptions) {
    return attendedBy(this.link, 0, 'variableLengthAttention', [q, k, v], options);
  }

  async selfAttention(x: unknown, projections: unknown, options?: CallOptions) {
    return attendedBy(this.link, 0, 'selfAttention', [x, projections], options);
  }

  async crossAttention(x: unknown, context: unknown, projections: unknown, options?: CallOptions) {
    return attendedBy(this.link, 0, 'crossAttention', [x, context, projections], options);
  }

  async linearAttention(q: unknown, k: unknown, v: unknown, options?: CallOptions) {
    const [how, rest] = told('options', options);
    return this.link.call(0, 'linearAttention', [q, k, v, rest], how);
  }

  async attentionMap(q: unknown, k: unknown, options?: CallOptions) {
    const [how, rest] = told('options', options);
    return this.link.call(0, 'attentionMap', [q, k, rest], how);
  }

  async multiHeadAttention(config: unknown, weights: unknown, call?: CallOptions) {
    const [how] = told('call', call);
    return this.#make('multiHeadAttention', [config, weights], how, (handle) => new AsyncMultiHead(this, handle));
  }

  async transformerEncoderLayer(...given: TransformerArguments) {
    return this.#transformer('transformerEncoderLayer', 1, given);
  }

  async transformerDecoderLayer(...given: TransformerArguments) {
    return this.#transformer('transformerDecoderLayer', 2, given);
  }

  async transformerEncoder(...given: TransformerArguments) {
    return this.#transformer('transformerEncoder', 1, given);
  }

  async transformerDecoder(...given: TransformerArguments) {
    return this.#transformer('transformerDecoder', 2, given);
  }

  async kvCache(config: unknown) {
    return this.#make('kvCache', [config], untold, (handle, made) => new AsyncCache(this, handle, made));
  }

  async createModel(files: unknown, call?: CallOptions) {
    const [how, options] = told('call', call);
    checkFiles(files as ModelFiles); // what a message cannot carry is told by its name
    return this.#make('createModel', [files, options], how, (handle, made) => {
      return new AsyncModel(this, handle, made);
    });
  }

  dispose(): void {
    forgotten.unregister(this);
    this.link.end(new AttentionError('DISPOSED', undefined, 'this engine was disposed'));
  }

  async #transformer(method: Method, inputs: number, [config, stateDict, call]: TransformerArguments) {
    const [how] = told('call', call);
    return this.#make(method, [config, stateDict], how, (handle) => new AsyncTransformer(this, handle, inputs));
  }

  async #make<T>(method: Method, args: unknown[], how: Told, wrap: (handle: number, made: Made) => T): Promise<T> {
    const handle = this.link.newHandle();
    try {
      return wrap(handle, await this.link.call<Made>(0, method, args, how, handle));
    } catch (error) {
      this.link.release(handle); // It may have been made when an abort came.
      throw error;
    }
  }
}

makeDisposable(WorkerAttention);

export function asyncAttention(link: Link, info: Attention['info']): AsyncAttention {
  const complete: { [Name in Exclude<keyof AsyncAttention, typeof Symbol.dispose>]: unknown } = new WorkerAttention(
    link,
    info,
  );
  return complete as AsyncAttention;
}
