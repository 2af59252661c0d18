import { abortSignal, checkBag, integer } from '../arguments.js';
import { describe, refused } from '../errors.js';
import { checkCacheOptions } from '../models/cache.js';
import type {
  CacheOptions,
  EmbedOptions,
  ForwardOptions,
  ForwardResult,
  GenerateOptions,
  Model,
  ModelCache,
  TokenIds,
} from '../models/types.js';
import type { Integers, NdArray, TensorLike } from '../types.js';
import type { Method } from './messages.js';
import { type Home, Remote } from './remote.js';
import { refuseGone } from './results.js';

type Facts = Pick<Model, 'type' | 'layers' | 'heads' | 'kvHeads' | 'embedSize' | 'maxLength' | 'byteLength'>;

/** A model in a worker. Its caches are made at once, and the worker follows. */
export class AsyncModel extends Remote {
  readonly #facts: Facts;

  constructor(home: Home, handle: number, facts: Facts) {
    super(home, handle);
    this.#facts = facts;
  }

  get type(): Facts['type'] {
    return this.#facts.type;
  }
  get layers(): number {
    return this.#facts.layers;
  }
  get heads(): number {
    return this.#facts.heads;
  }
  get kvHeads(): number {
    return this.#facts.kvHeads;
  }
  get embedSize(): number {
    return this.#facts.embedSize;
  }
  get maxLength(): number {
    return this.#facts.maxLength;
  }
  get byteLength(): number {
    return this.#facts.byteLength;
  }

  async forward(input: TokenIds, options?: ForwardOptions): Promise<ForwardResult> {
    return this.#call('forward', input, options);
  }

  async embed(input: TokenIds, options?: EmbedOptions): Promise<NdArray> {
    return this.#call('embed', input, options);
  }

  async generate(prompt: Integers | TensorLike, options: GenerateOptions): Promise<Int32Array<ArrayBuffer>> {
    return this.#call('generate', prompt, options);
  }

  createCache(options?: CacheOptions): ModelCache {
    this.refuseDisposed('model');
    checkCacheOptions(this.#facts, options);
    const handle = this.link.newHandle();
    this.link.tell(this.handle, 'createCache', [options], handle);
    return new AsyncModelCache(this.home, handle);
  }

  async #call<T>(method: Method, input: unknown, options: ForwardOptions | undefined): Promise<T> {
    this.refuseDisposed('model');
    if (options !== undefined) checkBag('options', options);
    const { signal, ...rest } = options ?? {};
    const { cache } = rest;
    refuseGone(cache);
    const how = { signal: abortSignal(signal), onProgress: undefined, transfer: false };
    const work = () => this.link.call<T>(this.handle, method, [input, rest], how);
    return (cache as unknown) instanceof AsyncModelCache ? (cache as unknown as AsyncModelCache).during(work) : work();
  }
}

class AsyncModelCache extends Remote implements ModelCache {
  #calls = 0;

  get length(): number {
    this.refuseDisposed('cache');
    return this.link.stateOf(this.handle).length;
  }

  get byteLength(): number {
    this.refuseDisposed('cache');
    return this.link.stateOf(this.handle).byteLength;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await work();
    } finally {
      this.#calls--;
    }
  }

  truncate(length: number): void {
    if (this.#calls > 0) throw refused('cache', 'a change during a call', 'one before or after it');
    const held = this.length;
    if (integer('length', length, 0) > held) throw refused('length', describe(length), `0..${held}`);
    this.link.tell(this.handle, 'truncate', [length]);
    this.link.expect({ handle: this.handle, length, byteLength: length === 0 ? 0 : this.byteLength });
  }

  clear(): void {
    this.truncate(0);
  }

  fork(): ModelCache {
    if (this.#calls > 0) throw refused('cache', 'a fork during a call', 'one before or after it');
    const { length, byteLength } = this;
    const handle = this.link.newHandle();
    this.link.tell(this.handle, 'fork', [], handle);
    this.link.expect({ handle, length, byteLength });
    return new AsyncModelCache(this.home, handle);
  }
}
