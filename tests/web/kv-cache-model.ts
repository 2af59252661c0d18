import { type CacheInputs, inOracleWords, type Options } from './against-oracle.ts';
import { attention, type Heads, headsOf, type OracleOptions, type OracleResult } from './oracle/attention.ts';
import type { Rule } from './oracle/masks.ts';
import { type Exact, fromHalf, type Numbers, toHalf, valuesOf } from './oracle/values.ts';
import type { Plain } from './random.ts';

export const cacheTypes = ['float32', 'float16', 'int8'] as const;
export type CacheType = (typeof cacheTypes)[number];

export interface CacheConfig {
  batch?: number;
  numKvHeads: number;
  headDim: number;
  valueDim?: number;
  capacity?: number;
  dtype?: CacheType;
  window?: number;
  sinkTokens?: number;
  rollback?: number;
}

/** How keys and values lie that come without queries. */
export interface Axes {
  layout?: 'BHSD' | 'BSHD';
  numKvHeads?: number;
}

/** One position of one batch entry: a row for each key head, as it is stored. Never written to, so that copies may share it. */
interface Row {
  k: readonly Float64Array[];
  v: readonly Float64Array[];
}

/**
 * The nearest number of float32 that the type can hold: halves round to even; int8 has a step of max|row|/127 for each row, itself
 * a float32, and cannot tell where in a row a NaN or an infinity was.
 */
export function asStored(type: CacheType, row: Float64Array): Float64Array {
  const floats = row.map(Math.fround);
  if (type === 'float32') return floats;
  if (type === 'float16') return floats.map((x) => fromHalf(toHalf(x)));
  if (!floats.every(Number.isFinite)) return floats.fill(NaN);
  const step = stepOf(floats);
  if (step === 0) return floats.fill(0);
  return floats.map((x) => step * Math.max(-127, Math.min(127, Math.round(x / step))));
}

export const stepOf = (row: Float64Array): number =>
  Math.fround(row.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 127);

/**
 * What a cache means: a list of rows for each batch entry, and which positions are gone. The query at p of a window w with s sinks
 * sees j < s or p − w < j ≤ p; after a call the positions below s and the last capacity − s are left.
 */
export class CacheModel {
  readonly config: CacheConfig;
  readonly batch: number;
  readonly capacity: number;
  #entries: Row[][];
  #gone: boolean[] = [];

  constructor(config: CacheConfig) {
    const { batch = 1, window = NaN, sinkTokens = 0, rollback = 0 } = config;
    const { capacity = sinkTokens + window + rollback } = config;
    this.config = config;
    this.batch = batch;
    this.capacity = capacity;
    this.#entries = Array.from({ length: batch }, () => []);
  }

  get length(): number {
    return this.#gone.length;
  }
  /** How many positions are still there. */
  get held(): number {
    return this.#gone.filter((gone) => !gone).length;
  }
  isGone(position: number): boolean {
    return this.#gone[position] === true;
  }

  hasRoomFor(count: number): boolean {
    return this.config.window !== undefined || this.length + count <= this.capacity;
  }

  append(k: Plain, v: Plain, { layout = 'BHSD', numKvHeads }: Axes = {}): void {
    this.#push(k, v, numKvHeads, layout);
    this.#evict();
  }

  /** What attend gives, and the values it was made of; the cache is as it is afterwards. */
  attend([q, k, v]: CacheInputs, options: Options = {}): OracleResult & { values: Float64Array } {
    const { layout = 'BHSD', numHeads } = options;
    const gone = [...this.#gone];
    const settled = this.settled(options, k !== null);
    if (k !== null) this.#push(k, v, numHeads && this.config.numKvHeads, layout);
    const values = this.#all('v', q, options);
    const exact = attention(q, this.#all('k', q, options), values, {
      ...inOracleWords(settled),
      ...(numHeads && { numKvHeads: this.config.numKvHeads }),
      rule: this.#ruleBeside(options.rule, gone),
    });
    hide(exact, gone);
    this.#evict();
    return { ...exact, values: values.data };
  }

  /** With what an attend call adds to options by itself: causal with new keys, and queries that go on where the cache ends. */
  settled(options: Options, isAppending: boolean): Options {
    const { causal = isAppending, queryOffset } = options;
    const standard = causal === 'lower-right' ? {} : { queryOffset: this.length };
    return { ...options, causal, ...(queryOffset === undefined ? standard : { queryOffset }) };
  }

  /** Whether nothing is gone of the window length − w < j ≤ length of the query to come, sinks aside. */
  canTruncate(length: number): boolean {
    const { window = Infinity, sinkTokens = 0 } = this.config;
    const isReached = (j: number) => j <= length && j > length - window;
    if (length < 0 || length > this.length) return false;
    return length <= sinkTokens || !this.#gone.some((gone, j) => gone && isReached(j));
  }
  truncate(length: number): void {
    this.#gone.length = length;
    for (const rows of this.#entries) rows.length = length;
  }
  clear(): void {
    this.truncate(0);
  }
  fork(): CacheModel {
    const fork = new CacheModel(this.config);
    fork.#entries = this.#entries.map((rows) => [...rows]);
    fork.#gone = [...this.#gone];
    return fork;
  }
  reorder(batch: readonly number[]): void {
    this.#entries = batch.map((from) => [...(this.#entries[from] as Row[])]);
  }

  #push(k: Plain, v: Plain, numKvHeads: number | undefined, layout: 'BHSD' | 'BSHD'): void {
    const [key, value] = [k, v].map((x) =>
      rowsOf(x, headsOf(x.shape, numKvHeads, layout), this.config.dtype ?? 'float32'),
    );
    this.#entries.forEach((rows, b) => {
      key?.[b]?.forEach((heads, s) => {
        rows.push({ k: heads, v: value?.[b]?.[s] as Float64Array[] });
      });
    });
    while (this.#gone.length < (this.#entries[0]?.length ?? 0)) this.#gone.push(false);
  }

  /** What is gone is forgotten, so that nothing here can read it either. */
  #evict(): void {
    const { window, sinkTokens = 0 } = this.config;
    if (window === undefined) return;
    const first = this.length - (this.capacity - sinkTokens);
    for (let j = sinkTokens; j < first; j++) {
      if (this.#gone[j]) continue;
      this.#gone[j] = true;
      for (const rows of this.#entries) rows[j] = forgotten(rows[j] as Row);
    }
  }

  #ruleBeside(rule: Rule | undefined, gone: readonly boolean[]): Rule {
    const { window = Infinity, sinkTokens = 0 } = this.config;
    return (pair) => {
      const { p, j } = pair;
      if (gone[j] || !(window === Infinity || j < sinkTokens || (j > p - window && j <= p))) return false;
      return rule === undefined || rule(pair);
    };
  }

  /** All positions in the form of q. */
  #all(which: 'k' | 'v', q: Numbers, { layout = 'BHSD', numHeads }: OracleOptions | Options): Exact {
    const { numKvHeads: H, headDim, valueDim = headDim } = this.config;
    const [B, S, D] = [this.batch, this.length, which === 'k' ? headDim : valueDim];
    const packed = [...(q.shape.length === 3 ? [B] : []), S, H * D];
    const byHead = [[S, D], [H, S, D], layout === 'BHSD' ? [B, H, S, D] : [B, S, H, D]][q.shape.length - 2] as number[];
    const shape = numHeads && q.shape.length < 4 ? packed : byHead;
    const data = new Float64Array(B * H * S * D);
    const { start } = headsOf(shape, numHeads && H, layout);
    this.#entries.forEach((rows, b) => {
      rows.forEach((row, s) => {
        row[which].forEach((numbers, h) => {
          data.set(numbers, start(b, h, s));
        });
      });
    });
    return { data, shape };
  }
}

/** [B][S][H] rows, rounded to how they are kept. */
function rowsOf(x: Plain, { batch, heads, length, size, start }: Heads, type: CacheType): Float64Array[][][] {
  const numbers = valuesOf(x);
  const list = <T>(count: number, value: (n: number) => T) => Array.from({ length: count }, (_, n) => value(n));
  return list(batch, (b) =>
    list(length, (s) => list(heads, (h) => asStored(type, numbers.slice(start(b, h, s), start(b, h, s) + size)))),
  );
}

const forgotten = ({ k, v }: Row): Row => ({
  k: k.map((row) => row.map(() => NaN)),
  v: v.map((row) => row.map(() => NaN)),
});

/** Of keys that are gone not even a score can be told: it is that of a masked one. */
function hide({ scores, softcapped }: OracleResult, gone: readonly boolean[]): void {
  const Skv = scores.shape[3] as number;
  for (const { data } of new Set([scores, softcapped]))
    for (let pair = 0; pair < data.length; pair++) if (gone[pair % Skv]) data[pair] = -Infinity;
}
