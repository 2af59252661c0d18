import { checkKeys, integer, oneOf } from './arguments.js';
import { attend } from './attend.js';
import { shapeOfQueries } from './call-shape.js';
import type { Engine } from './engine.js';
import { AttentionError, invalid, refused } from './errors.js';
import { integerOperand, type Operand, operand } from './operand.js';
import { headIntegers, optionKeys, ruleIntegers, ruleSlots } from './rules.js';
import { makeDisposable } from './tensor.js';
import type { AttentionOptions, AttentionResult, KvCache, KvCacheConfig, TensorLike } from './types.js';

const configKeys = ['batch', 'numKvHeads', 'headDim', 'valueDim', 'capacity', 'dtype', 'window', 'sinkTokens'] as const;
/** DType of cpp/include/attention/tensor.hpp, in its order. */
const dtypes = ['float32', 'float16', 'int8'] as const;

/** Gives memory back when a cache was dropped without dispose(). */
const forgotten = new FinalizationRegistry<{ engine: Engine; address: number }>(({ engine, address }) => {
  if (!engine.disposed) engine.core.releaseCache(address);
});

export function createCache(engine: Engine, given: KvCacheConfig): KvCache {
  const config = readConfig(given);
  const { batch, numKvHeads, headDim, valueDim, capacity, window, sinkTokens, dtype } = config;
  const address = engine.core.createCache(
    batch,
    numKvHeads,
    headDim,
    valueDim,
    capacity,
    window,
    sinkTokens,
    dtypes.indexOf(dtype),
  );
  if (address === 0) throw new AttentionError('OUT_OF_MEMORY', 'config', 'a page of this cache does not fit');
  return new ResidentCache(engine, address, config) as unknown as KvCache;
}

type Config = Required<KvCacheConfig>;

function readConfig(given: KvCacheConfig): Config {
  if (given === undefined) throw invalid('config', given, 'an object');
  const config = checkKeys('config', given, configKeys);
  const window = config.window === undefined ? 0 : integer('config.window', config.window, 1);
  const sinkTokens = integer('config.sinkTokens', config.sinkTokens ?? 0, 0);
  if (config.sinkTokens !== undefined && window === 0) {
    throw refused('config.sinkTokens', 'it without a window', 'config.window beside it');
  }
  const least = window === 0 ? 1 : sinkTokens + window;
  const capacity = window === 0 ? config.capacity : (config.capacity ?? least);
  const headDim = integer('config.headDim', config.headDim, 1);
  return {
    batch: integer('config.batch', config.batch ?? 1, 1),
    numKvHeads: integer('config.numKvHeads', config.numKvHeads, 1),
    headDim,
    valueDim: integer('config.valueDim', config.valueDim ?? headDim, 1),
    capacity: integer('config.capacity', capacity, least),
    window,
    sinkTokens,
    dtype: oneOf('config.dtype', config.dtype ?? 'float32', dtypes),
  };
}

/** A cache in an engine's memory: cpp/include/attention/kv_cache.hpp. */
export class ResidentCache {
  readonly capacity: number;
  readonly #engine: Engine;
  readonly #address: number;
  readonly #config: Config;
  #disposed = false;

  constructor(engine: Engine, address: number, config: Config) {
    this.#engine = engine;
    this.#address = address;
    this.#config = config;
    this.capacity = config.capacity;
    forgotten.register(this, { engine, address }, this);
  }

  get length(): number {
    return this.#engine.core.cacheLength(this.addressIn(this.#engine));
  }

  get byteLength(): number {
    return this.#engine.core.cacheBytes(this.addressIn(this.#engine));
  }

  /** @internal For a call of `engine`. */
  addressIn(engine: Engine, argument?: string): number {
    if (this.#disposed || this.#engine.disposed) {
      throw new AttentionError('DISPOSED', argument, 'this cache was disposed');
    }
    if (engine !== this.#engine) throw refused(argument as string, 'a cache of another engine', "this engine's");
    return this.#address;
  }

  append(k: TensorLike, v: TensorLike, given?: { layout?: 'BHSD' | 'BSHD'; numKvHeads?: number }): void {
    const address = this.addressIn(this.#engine);
    const { layout, numKvHeads } = headIntegers(checkKeys('options', given, ['layout', 'numKvHeads']));
    const rules = Array.from({ length: ruleIntegers }, (_, place) => (place === 0 ? layout : 0));
    this.#call([operand('k', k), operand('v', v)], (core) => core.cacheAppend(), [...rules, address, numKvHeads]);
  }

  attend(q: TensorLike, k: TensorLike | null, v: TensorLike | null, given?: AttentionOptions): AttentionResult {
    const address = this.addressIn(this.#engine);
    const options = checkKeys('options', given, optionKeys);
    for (const name of ['keyScales', 'valueScales'] as const) {
      if (options[name] !== undefined) throw refused(`options.${name}`, 'it', 'none: a cache makes its own');
    }
    if ((k === null) !== (v === null)) throw invalid(k === null ? 'v' : 'k', k ?? v, 'both k and v, or null for both');
    const query = operand('q', q);
    const key = k === null ? undefined : operand('k', k);
    const rules = this.placed(options, key !== undefined);
    const { batch, headDim } = this.#config;
    const shape = () => shapeOfQueries(query, rules, { batch, size: headDim, keys: this.length + keysOf(key, rules) });
    const operands = [query, key, v === null ? undefined : operand('v', v)];
    return attend(this.#engine, { operands, integers: [address], shape, run: (core) => core.cacheAttend() }, rules);
  }

  /** @internal Rules of a call whose queries follow what is held. */
  placed(options: AttentionOptions, appends: boolean): AttentionOptions {
    const causal = options.causal ?? appends;
    if (causal === 'upper-left') throw invalid('options.causal', causal, "true or 'lower-right': positions go on");
    const queryOffset = options.queryOffset ?? (causal === 'lower-right' ? undefined : this.length);
    return { ...options, causal, ...(queryOffset === undefined ? {} : { queryOffset }) };
  }

  truncate(length: number): void {
    const address = this.addressIn(this.#engine);
    const least = integer('length', length, 0);
    this.#call([], (core) => core.truncateCache(address, least));
  }

  clear(): void {
    this.truncate(0);
  }

  fork(): KvCache {
    const address = this.#engine.core.forkCache(this.addressIn(this.#engine));
    if (address === 0) throw new AttentionError('OUT_OF_MEMORY', undefined, 'a fork of this cache does not fit');
    return new ResidentCache(this.#engine, address, this.#config) as unknown as KvCache;
  }

  reorder(batch: ArrayLike<number | bigint>): void {
    const address = this.addressIn(this.#engine);
    this.#call([integerOperand('batch', batch)], (core) => core.reorderCache(address));
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const address = this.addressIn(this.#engine);
    return this.#engine.call({ operands: [], run: (core) => core.saveCache(address) }, (results) => {
      const { view } = results.view(0);
      return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
    });
  }

  load(bytes: Uint8Array): void {
    const address = this.addressIn(this.#engine);
    if (!(bytes instanceof Uint8Array)) throw invalid('bytes', bytes, 'a Uint8Array');
    const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    const operands: Operand[] = [{ argument: 'bytes', shape: [bytes.length], dtype: 'int8', given: 'int8', values }];
    this.#call(operands, (core) => core.loadCache(address));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    forgotten.unregister(this);
    if (!this.#engine.disposed) this.#engine.core.releaseCache(this.#address);
  }

  #call(operands: readonly Operand[], run: Parameters<Engine['call']>[0]['run'], numbers: readonly number[] = []) {
    const slots = [...Array.from({ length: ruleSlots }, () => undefined), ...operands];
    this.#engine.call({ operands: slots, integers: numbers, run }, () => {});
  }
}

makeDisposable(ResidentCache);

/** New keys of a call; wrong shapes are the core's to refuse. */
function keysOf(key: Operand | undefined, { layout }: AttentionOptions): number {
  if (key === undefined) return 0;
  const { shape } = key;
  return shape[shape.length === 4 && layout === 'BSHD' ? 1 : shape.length - 2] ?? 0;
}
