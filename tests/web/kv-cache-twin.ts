import type { Attention, AttentionErrorCode, KvCache } from 'attention-wasm';
import { expect } from 'vitest';
import {
  type CacheInputs,
  type Call,
  callWith,
  expectResults,
  type Manner,
  type Options,
  stages,
} from './against-oracle.ts';
import { type Axes, type CacheConfig, CacheModel, stepOf } from './kv-cache-model.ts';
import type { OracleResult } from './oracle/attention.ts';
import { valuesOf } from './oracle/values.ts';
import type { Plain } from './random.ts';

/** A cache of the package beside the model of one: everything is done to both, and what comes back compared. */
export class Twin {
  readonly engine: Attention;
  readonly cache: KvCache;
  readonly model: CacheModel;

  constructor(engine: Attention, config: CacheConfig, cache = engine.kvCache(config), model = new CacheModel(config)) {
    this.engine = engine;
    this.cache = cache;
    this.model = model;
    this.#expectSameLength();
  }

  append(k: Plain, v: Plain, axes?: Axes): void {
    const given = this.#awayFromTies(k, v);
    this.cache.append(...given, axes);
    this.model.append(...given, axes);
    this.#expectSameLength();
  }

  attend([q, k, v]: CacheInputs, options: Options = {}, manner: Manner = {}): OracleResult {
    const inputs: CacheInputs = k === null ? [q, k, v] : [q, ...this.#awayFromTies(k, v)];
    const exact = this.model.attend(inputs, options);
    const call: Call = (...given) => this.cache.attend(...given);
    const got = callWith(this.engine, call, inputs, options, manner, exact);
    this.#expectSameLength();
    expectResults(got, exact, q, exact.values, manner);
    return exact;
  }

  /** Everything that can be asked for of what is held, by queries that add nothing. */
  attendOnly(q: Plain, options: Options = {}): OracleResult {
    const inputs = [q, null, null] as const;
    for (const weights of [false, ...stages]) this.attend(inputs, options, { weights });
    return this.attend(inputs, options, { weights: true, logSumExp: true });
  }

  truncate(length: number): void {
    this.cache.truncate(length);
    this.model.truncate(length);
    this.#expectSameLength();
  }
  clear(): void {
    this.cache.clear();
    this.model.clear();
    this.#expectSameLength();
  }
  fork(): Twin {
    return new Twin(this.engine, this.model.config, this.cache.fork(), this.model.fork());
  }
  reorder(batch: number[], given: ArrayLike<number | bigint> = batch): void {
    this.cache.reorder(given);
    this.model.reorder(batch);
    this.#expectSameLength();
  }
  /** The twin whose cache is read from the bytes of this one; it was in use before. */
  reloaded(): Twin {
    const { batch = 1, numKvHeads, headDim, valueDim = headDim } = this.model.config;
    const cache = this.engine.kvCache(this.model.config);
    const ones = (D: number): Plain => {
      const shape = [batch, numKvHeads, 1, D];
      return { data: new Float32Array(batch * numKvHeads * D).fill(1), shape };
    };
    if (this.model.capacity !== 0) cache.append(ones(headDim), ones(valueDim));
    cache.load(this.cache.toBytes());
    return new Twin(this.engine, this.model.config, cache, this.model.fork());
  }

  /** A call that must fail and leave the cache as it was. */
  refuses(call: (cache: KvCache) => unknown, code: AttentionErrorCode, argument?: string): void {
    const before = this.cache.toBytes();
    const sizes = () => [this.cache.length, this.cache.byteLength];
    const sizesBefore = sizes();
    expect(() => call(this.cache)).toThrow(expect.objectContaining({ code, ...(argument && { argument }) }));
    expect(sizes()).toEqual(sizesBefore);
    expect(Buffer.compare(this.cache.toBytes(), before), 'the bytes of the cache').toBe(0);
  }

  dispose(): void {
    this.cache.dispose();
  }

  #awayFromTies(k: Plain, v: Plain): [k: Plain, v: Plain] {
    const { dtype, headDim, valueDim = headDim } = this.model.config;
    return dtype === 'int8' ? [awayFromTies(k, headDim), awayFromTies(v, valueDim)] : [k, v];
  }

  #expectSameLength(): void {
    if (this.cache.length !== this.model.length)
      throw new Error(`length is ${this.cache.length}, wanted ${this.model.length}`);
    if (this.cache.capacity !== this.model.capacity)
      throw new Error(`capacity is ${this.cache.capacity}, wanted ${this.model.capacity}`);
  }
}

/**
 * Where two steps of int8 are equally near, which of them is taken is up to the last bit of a division: such numbers are made 0. (How
 * near a step must be is asked in kv-cache-storage.test.ts of numbers as they are.)
 */
function awayFromTies({ data, ...rest }: Plain, size: number): Plain {
  const numbers = valuesOf({ data, ...rest });
  const away = data.slice();
  for (let from = 0; from < numbers.length; from += size) {
    const step = stepOf(numbers.subarray(from, from + size));
    for (let n = from; n < from + size; n++) {
      const steps = Math.abs(numbers[n] as number) / step;
      if (Math.abs(steps - Math.floor(steps) - 0.5) < 1e-3) away[n] = 0;
    }
  }
  return { data: away, ...rest };
}
