import { checkKeys, integer, oneOf } from './arguments.js';
import { attend } from './attend.js';
import type { Core } from './attention-module.js';
import { bindMethods } from './bound.js';
import { shapeOfQueries } from './call-shape.js';
import type { Engine } from './engine.js';
import { AttentionError, invalid, refused } from './errors.js';
import { net } from './forgotten.js';
import { integerOperand, type Operand, operand } from './operand.js';
import { headIntegers, optionKeys, ruleIntegers, ruleSlots } from './rules.js';
import { makeDisposable } from './tensor.js';
import { plain } from './typed-arrays.js';
import type { AttentionOptions, AttentionResult, KvCache, KvCacheConfig, NdArray, TensorLike } from './types.js';

const configKeys = [
  ...(['batch', 'numKvHeads', 'headDim', 'valueDim', 'capacity', 'dtype'] as const),
  ...(['window', 'sinkTokens', 'rollback'] as const),
] as const;
/** DType of cpp/include/attention/tensor.hpp, in its order. */
const dtypes = ['float32', 'float16', 'int8'] as const;

/** Positions travel as 32-bit integers. */
const mostPositions = 2 ** 31 - 1;

/** Gives memory back when a cache was dropped without dispose(). */
const forgotten = net<{ engine: Engine; address: number }>(({ engine, address }) => {
  if (engine.disposed) return false;
  engine.core.releaseCache(address);
  return true;
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

/** @throws AttentionError where it is refused. */
export function readConfig(given: KvCacheConfig): Config {
  if (given === undefined) throw invalid('config', given, 'an object');
  const config = checkKeys('config', given, configKeys);
  const window = config.window === undefined ? 0 : integer('config.window', config.window, 1);
  const sinkTokens = integer('config.sinkTokens', config.sinkTokens ?? 0, 0);
  const rollback = integer('config.rollback', config.rollback ?? 0, 0);
  for (const name of ['sinkTokens', 'rollback'] as const) {
    if (config[name] === undefined || window !== 0) continue;
    throw refused(`config.${name}`, 'it without a window', 'config.window beside it');
  }
  const least = window === 0 ? 1 : sinkTokens + window + rollback;
  if (least > mostPositions) throw invalid('config.window', window, `at most ${mostPositions - sinkTokens - rollback}`);
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
    rollback,
    dtype: oneOf('config.dtype', config.dtype ?? 'float32', dtypes),
  };
}

/** A cache in an engine's memory: cpp/include/attention/kv_cache.hpp. */
export class ResidentCache {
  readonly #engine: Engine;
  /** @internal Where it is. Its memory is given back when the cache was forgotten. */
  readonly place: { engine: Engine; address: number };
  readonly #config: Config;
  #disposed = false;

  constructor(engine: Engine, address: number, config: Config) {
    this.#engine = engine;
    this.place = { engine, address };
    this.#config = config;
    forgotten.register(this, this.place, this);
    bindMethods(this);
  }

  get length(): number {
    return this.#engine.core.cacheLength(this.addressIn(this.#engine));
  }

  get capacity(): number {
    return this.#config.capacity;
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
    return this.place.address;
  }

  append(k: TensorLike, v: TensorLike, given?: { layout?: 'BHSD' | 'BSHD'; numKvHeads?: number }): void {
    this.addressIn(this.#engine);
    const { layout, numKvHeads } = headIntegers(checkKeys('options', given, ['layout', 'numKvHeads']));
    const rules = Array.from({ length: ruleIntegers }, (_, place) => (place === 0 ? layout : 0));
    const operands = [operand('k', k), operand('v', v)];
    const address = this.addressIn(this.#engine);
    this.#call(operands, (core) => core.cacheAppend(), [...rules, address, numKvHeads]);
  }

  attend(q: TensorLike, k: TensorLike | null, v: TensorLike | null, given?: AttentionOptions): AttentionResult {
    this.addressIn(this.#engine);
    const options = checkKeys('options', given, optionKeys);
    for (const name of ['keyScales', 'valueScales'] as const) {
      if (options[name] !== undefined) throw refused(`options.${name}`, 'it', 'none: a cache makes its own');
    }
    if ((k === null) !== (v === null)) throw invalid(k === null ? 'v' : 'k', k ?? v, 'both k and v, or null for both');
    const query = operand('q', q);
    const key = k === null ? undefined : operand('k', k);
    const value = v === null ? undefined : operand('v', v);
    const held = this.heldFor(this.#engine);
    const rules = held.placed(options, key !== undefined);
    const { batch, headDim } = this.#config;
    const shape = () => shapeOfQueries(query, rules, { batch, size: headDim, keys: held.length + keysOf(key, rules) });
    const operands = [query, key, value];
    const integers = () => [held.address()];
    return attend(this.#engine, { operands, integers, shape, run: (core) => core.cacheAttend() }, rules);
  }

  /** @internal What a call follows. A mask rule may call back before the core is asked: it shall find the same then. */
  heldFor(engine: Engine, argument?: string): Held {
    this.addressIn(engine, argument);
    const { length } = this;
    return {
      length,
      address: () => {
        const address = this.addressIn(engine, argument);
        if (this.length === length) return address;
        throw refused('options.mask', 'a rule that changed the cache', 'one that only answers');
      },
      placed: (options, appends) => placed(options, appends, length),
    };
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
    const operands = [integerOperand('batch', batch)];
    const address = this.addressIn(this.#engine);
    this.#call(operands, (core) => core.reorderCache(address));
  }

  read(): { key: NdArray; value: NdArray } {
    const address = this.addressIn(this.#engine);
    const request = { operands: [], run: (core: Core) => core.readCache(address) };
    return this.#engine.call(request, (results) => ({ key: results.copy(0), value: results.copy(1) }));
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const address = this.addressIn(this.#engine);
    const request = { operands: [], run: (core: Core) => core.saveCache(address) };
    return this.#engine.call(request, (results) => new Uint8Array(results.copy(0).data.buffer));
  }

  load(bytes: Uint8Array): void {
    const { array: values } = plain(Object(bytes));
    if (!(values instanceof Uint8Array)) throw invalid('bytes', bytes, 'a Uint8Array');
    const operands = [{ argument: 'bytes', shape: [values.length], dtype: 'int8', given: 'int8', values } as const];
    const address = this.addressIn(this.#engine);
    this.#call(operands, (core) => core.loadCache(address));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    forgotten.unregister(this);
    if (!this.#engine.disposed) this.#engine.core.releaseCache(this.place.address);
  }

  #call(operands: readonly Operand[], run: Parameters<Engine['call']>[0]['run'], numbers: readonly number[] = []) {
    const slots = [...Array.from({ length: ruleSlots }, () => undefined), ...operands];
    this.#engine.call({ operands: slots, integers: numbers, run }, () => {});
  }
}

makeDisposable(ResidentCache);

/** What a cache held when a call began. */
export interface Held {
  readonly length: number;
  /** @throws AttentionError where that is no longer so. */
  address(): number;
  /** Rules of queries that follow it. */
  placed(options: AttentionOptions, appends: boolean): AttentionOptions;
}

function placed(options: AttentionOptions, appends: boolean, length: number): AttentionOptions {
  const causal = options.causal ?? appends;
  if (causal === 'upper-left') throw invalid('options.causal', causal, "true or 'lower-right': positions go on");
  const queryOffset = options.queryOffset ?? (causal === 'lower-right' ? undefined : length);
  return { ...options, causal, ...(queryOffset === undefined ? {} : { queryOffset }) };
}

/** New keys of a call; wrong shapes are the core's to refuse. */
function keysOf(key: Operand | undefined, { layout }: AttentionOptions): number {
  if (key === undefined) return 0;
  const { shape } = key;
  return shape[shape.length === 4 && layout === 'BSHD' ? 1 : shape.length - 2] ?? 0;
}
