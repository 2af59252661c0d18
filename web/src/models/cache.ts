import { AttentionError, refused } from '../errors.js';
import { makeDisposable } from '../tensor.js';
import type { KvCache } from '../types.js';
import type { Batch } from './batch.js';
import type { Model, ModelCache } from './types.js';

/** Keys and values of all layers of a model, and which of their positions attend. */
export class LayerCaches implements ModelCache {
  readonly model: Model;
  readonly batch: number;
  /** The most positions it takes. */
  readonly limit: number;
  #layers: readonly KvCache[];
  /** [B][length]; nothing where every position attends. */
  #mask: readonly Uint8Array[] | undefined;
  declare [Symbol.dispose]: () => void;

  /** Takes over the layers' caches. */
  constructor(model: Model, batch: number, limit: number, layers: readonly KvCache[], mask?: readonly Uint8Array[]) {
    this.model = model;
    this.batch = batch;
    this.limit = limit;
    this.#layers = layers;
    this.#mask = mask;
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

  dispose(): void {
    for (const layer of this.#layers) layer.dispose();
  }

  /** Runs work that appends; where it fails, everything is as it was before. */
  async whole<T>(work: () => Promise<T>): Promise<T> {
    const before = this.fork();
    try {
      return await work();
    } catch (error) {
      const after = this.#layers;
      this.#layers = before.#layers;
      this.#mask = before.#mask;
      before.#layers = after;
      throw error;
    } finally {
      before.dispose();
    }
  }

  /** @throws AttentionError where a batch is not as large as this one, or does not fit. */
  check(batch: Batch): void {
    if (batch.batch !== this.batch) {
      const message = `got a cache of ${this.batch} sequences, wanted one of ${batch.batch}`;
      throw new AttentionError('SHAPE_MISMATCH', 'options.cache', message);
    }
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

/** A cache of this model. */
export function cacheOf(model: Model, cache: unknown): LayerCaches {
  if (cache instanceof LayerCaches && cache.model === model) return cache;
  throw refused(
    'options.cache',
    cache instanceof LayerCaches ? "another model's cache" : String(cache),
    "this model's",
  );
}
