import { checkKeys } from '../arguments.js';
import { bindMethods } from '../bound.js';
import { AttentionError, inTermsOf, invalid, refused } from '../errors.js';
import { readConfig } from '../kv-cache.js';
import { makeDisposable } from '../tensor.js';
import type { KvCache } from '../types.js';
import type { Batch } from './batch.js';
import type { CacheOptions, Model, ModelCache } from './types.js';

/** Keys and values of all layers of a model, and which of their positions attend. */
export class LayerCaches implements ModelCache {
  readonly model: Model;
  readonly batch: number;
  /** The most positions it takes. */
  readonly limit: number;
  #layers: readonly KvCache[];
  /** [B][length]; nothing where every position attends. */
  #mask: readonly Uint8Array[] | undefined;
  #busy = false;
  #disposed = false;
  declare [Symbol.dispose]: () => void;

  /** Takes over the layers' caches. */
  constructor(model: Model, batch: number, limit: number, layers: readonly KvCache[], mask?: readonly Uint8Array[]) {
    this.model = model;
    this.batch = batch;
    this.limit = limit;
    this.#layers = layers;
    this.#mask = mask;
    bindMethods(this);
  }

  get layers(): readonly KvCache[] {
    return this.#layers;
  }

  get length(): number {
    return (this.#layers[0] as KvCache).length;
  }

  get byteLength(): number {
    return this.#layers.reduce((bytes, layer) => bytes + layer.byteLength, 0);
  }

  truncate(length: number): void {
    if (this.#busy) throw refused('cache', 'a change during a call', 'one before or after it');
    for (const layer of this.#layers) layer.truncate(length);
    this.#mask = this.#mask?.map((row) => row.slice(0, length));
  }

  clear(): void {
    this.truncate(0);
    this.#mask = undefined;
  }

  fork(): LayerCaches {
    const layers: KvCache[] = [];
    try {
      for (const layer of this.#layers) layers.push(layer.fork());
    } catch (error) {
      for (const layer of layers) layer.dispose();
      throw error;
    }
    return new LayerCaches(this.model, this.batch, this.limit, layers, this.#mask);
  }

  /** @internal What this one and a fork of it hold changes places. */
  exchange(other: LayerCaches): void {
    [this.#layers, other.#layers] = [other.#layers, this.#layers];
    [this.#mask, other.#mask] = [other.#mask, this.#mask];
  }

  dispose(): void {
    this.#disposed = true;
    for (const layer of this.#layers) layer.dispose();
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Runs work that appends, on a fork. This cache becomes it in the end, and where the work fails it is as it was. */
  async whole<T>(work: (next: LayerCaches) => Promise<T>): Promise<T> {
    const next = this.fork();
    this.#busy = true;
    try {
      const result = await work(next);
      if (!this.#disposed) {
        this.exchange(next);
      }
      return result;
    } finally {
      this.#busy = false;
      next.dispose();
    }
  }

  /** @throws AttentionError where a batch is not as large as this one, or does not fit. */
  check(batch: Batch): void {
    if (batch.batch !== this.batch) {
      const message = `got a cache of ${this.batch} sequences, wanted one of ${batch.batch}`;
      throw new AttentionError('SHAPE_MISMATCH', 'options.cache', message);
    }
    const wanted = this.length + batch.length;
    if (wanted <= this.limit) return;
    const message = `got room for ${this.limit} tokens, wanted ${wanted}`;
    throw new AttentionError('CAPACITY_EXCEEDED', 'options.cache', message);
  }

  /** Which positions attend, those of a batch to come included: [B,Skv], or nothing where all do. */
  maskWith({ batch, length, mask }: Batch): Int32Array | undefined {
    if (this.#mask === undefined && !mask.includes(0)) return undefined;
    const held = this.length;
    const all = new Int32Array(batch * (held + length)).fill(1);
    for (let b = 0; b < batch; b++) {
      const row = all.subarray(b * (held + length), (b + 1) * (held + length));
      if (this.#mask) row.set(this.#mask[b] as Uint8Array);
      row.set(mask.subarray(b * length, (b + 1) * length), held);
    }
    return all;
  }

  /** Attended positions of an entry. */
  count(entry: number): number {
    return this.#mask?.[entry]?.reduce((sum, one) => sum + (one === 0 ? 0 : 1), 0) ?? this.length;
  }

  /** Remembers what maskWith() gave for a batch that has come. */
  keep(all: Int32Array | undefined): void {
    const length = (all?.length ?? 0) / this.batch;
    this.#mask =
      all && Array.from({ length: this.batch }, (_, b) => Uint8Array.from(all.subarray(b * length, (b + 1) * length)));
  }
}

makeDisposable(LayerCaches);

/** What createCache() refuses before it takes memory, and the options with their defaults. */
export function checkCacheOptions(
  { type, kvHeads, maxLength }: Pick<Model, 'type' | 'kvHeads' | 'maxLength'>,
  given: CacheOptions | undefined,
): CacheOptions {
  if (type !== 'gpt2' && type !== 'llama') {
    throw new AttentionError('INVALID_ARGUMENT', undefined, `${type} models take no cache`);
  }
  const options = checkKeys('options', given, ['batch', 'capacity', 'dtype', 'window', 'sinkTokens', 'rollback']);
  const full = options.window === undefined ? { ...options, capacity: options.capacity ?? maxLength } : options;
  try {
    readConfig({ ...full, numKvHeads: kvHeads, headDim: 1 });
  } catch (error) {
    throw inTermsOf(error, 'config', 'options');
  }
  return full;
}

/** A cache of this model. */
export function cacheOf(model: Model, cache: unknown): LayerCaches {
  if (!(cache instanceof LayerCaches)) throw invalid('options.cache', cache, "this model's cache");
  if (cache.model !== model) throw refused('options.cache', "another model's cache", "this model's");
  if (cache.disposed) throw new AttentionError('DISPOSED', 'options.cache', 'this cache was disposed');
  return cache;
}
