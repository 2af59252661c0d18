import { createAttention, type KvCache, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { asStored, type CacheConfig, cacheTypes, stepOf } from './kv-cache-model.ts';
import { Twin } from './kv-cache-twin.ts';
import { fromHalf } from './oracle/values.ts';
import { type Floats, inType, type Plain, Random, seed } from './random.ts';
import { forEachVariant, load } from './variants.ts';

const random = new Random(seed);

/** What a cache of one entry and one head holds: each key by its score with a unit vector, each value by a query that sees it alone. */
function contentsOf(cache: KvCache, D: number): { keys: Float32Array[]; values: Float32Array[] } {
  const units = { data: Float32Array.from({ length: D * D }, (_, n) => Number(n % (D + 1) === 0)), shape: [D, D] };
  const { weights } = cache.attend(units, null, null, { weights: 'scores', scale: 1 });
  const S = cache.length;
  const zeros = { data: new Float32Array(S * D), shape: [S, D] };
  const { output } = cache.attend(zeros, null, null, { mask: masks.slidingWindow(0, 0), queryOffset: 0 });
  const Dv = output.shape[1] as number;
  const positions = Array.from({ length: S }, (_, j) => j);
  return {
    keys: positions.map((j) => Float32Array.from({ length: D }, (_, d) => weights.data[d * S + j] as number)),
    values: positions.map((j) => output.data.slice(j * Dv, (j + 1) * Dv)),
  };
}
const rowsOf = ({ data, shape: [S = 0, D = 0] }: Plain): Float64Array[] =>
  Array.from({ length: S }, (_, s) => Float64Array.from(data.subarray(s * D, (s + 1) * D) as Float32Array));
const same = (got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number | ((n: number) => number) = 0) =>
  expectClose({ data: got, shape: [got.length] }, { data: want, shape: [want.length] }, tolerance);

forEachVariant(`what kvCache stores, seed ${seed}`, (engine, variant) => {
  const one = (dtype: 'float32' | 'float16' | 'int8', D: number, own: Partial<CacheConfig> = {}) =>
    engine().kvCache({ numKvHeads: 1, headDim: D, capacity: 5000, dtype, ...own });

  test('float32 is kept as it is', () => {
    const [k, v] = [random.tensor([140, 9], 1e5), random.tensor([140, 4], 1e-5)];
    using cache = one('float32', 9, { valueDim: 4 });
    cache.append(k, v);
    const { keys, values } = contentsOf(cache, 9);
    for (const [j, row] of rowsOf(k).entries()) same(keys[j] as Float32Array, row);
    for (const [j, row] of rowsOf(v).entries()) same(values[j] as Float32Array, row);
  });
  test('float16 keeps every half, given as bits or as floats', () => {
    const bits: Plain = {
      data: Uint16Array.from({ length: 65_536 }, (_, n) => n),
      shape: [4096, 16],
      dtype: 'float16',
    };
    const floats = { data: Float32Array.from(bits.data as Uint16Array, fromHalf), shape: bits.shape };
    for (const given of [bits, floats]) {
      using cache = one('float16', 16);
      cache.append(random.tensor([4096, 16]), given);
      const zeros = { data: new Float32Array(65_536), shape: [4096, 16] };
      const { output } = cache.attend(zeros, null, null, { mask: masks.slidingWindow(0, 0), queryOffset: 0 });
      expectClose(output, floats, 0);
    }
  });
  test('float16 rounds to the nearest half, ties to even, of every size', () => {
    const size = () => random.normal() * 2 ** random.integer(-27, 17);
    const ties = [
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      -(2 ** -25),
      3 * 2 ** -25,
      2 ** -14 - 2 ** -25,
      2047.5,
      65519.996,
      65503,
    ];
    const k: Floats = { data: Float32Array.from({ length: 8 * 500 }, (_, n) => ties[n] ?? size()), shape: [500, 8] };
    for (const type of ['float32', 'float64'] as const) {
      using cache = one('float16', 8);
      cache.append(random.tensor([500, 8]), inType(type, k));
      const { values } = contentsOf(cache, 8);
      for (const [j, row] of rowsOf(k).entries()) same(values[j] as Float32Array, asStored('float16', row));
    }
  });
  test('int8 is off by half a step of each row at most', () => {
    for (const D of [1, 3, 16, 33]) {
      using cache = one('int8', D);
      const rows = 200;
      const k = random.tensor([rows, D]);
      for (let n = 0; n < k.data.length; n++) k.data[n] = (k.data[n] as number) * 10 ** ((Math.floor(n / D) % 7) - 3);
      cache.append(k, k);
      const { keys, values } = contentsOf(cache, D);
      rowsOf(k).forEach((row, j) => {
        // Four roundings of a number of up to 127 steps: the step, the quotient, the product and one to spare.
        const limit = stepOf(row) * (0.5 + 127 * 2 ** -22);
        same(keys[j] as Float32Array, row, limit);
        same(values[j] as Float32Array, row, limit);
      });
    }
  });
  test('int8 of rows that are nothing, almost nothing, or all one number', () => {
    const tiny = 2 ** -149;
    const rows = [
      [0, 0, -0],
      [tiny, 0, -tiny],
      [300 * tiny, 5 * tiny, 0],
      [7, -7, 7],
      [1e38, -3e38, 0],
      [-2e-38, 1e-38, 0],
    ];
    const k: Floats = { data: Float32Array.from(rows.flat()), shape: [6, 3] };
    using cache = one('int8', 3);
    cache.append(k, k);
    const { values } = contentsOf(cache, 3);
    rows.forEach((row, j) => {
      const exact = Float64Array.from(row);
      const largest = Math.max(...row.map(Math.abs));
      // A step below 2^-126 has few bits: it is off by up to 2^-150, and 127 of them by 127 times that.
      same(values[j] as Float32Array, exact, largest / 254 + 127 * Math.max(2 ** -22 * stepOf(exact), 2 ** -149));
    });
  });
  test('int8 rows with NaN or an infinity are NaN, and no others', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const v = random.tensor([9, 5]);
      v.data[4 * 5 + 2] = bad;
      using cache = one('int8', 5);
      cache.append(random.tensor([9, 5]), v);
      contentsOf(cache, 5).values.forEach((row, j) => {
        expect(Array.from(row, Number.isNaN)).toEqual(Array(5).fill(j === 4));
      });
    }
  });
  test.each(cacheTypes)('%s rounds each head and entry by itself, and attends what it holds', (dtype) => {
    const config = { batch: 2, numKvHeads: 3, headDim: 8, valueDim: 4, capacity: 200, dtype };
    const both = new Twin(engine(), config);
    for (const loud of [1, 10, 0.01, 1]) {
      const step = Math.round(40 * random.unit()) + 1;
      const [k, v] = [random.tensor([2, 3, step, 8], loud), random.tensor([2, 3, step, 4], loud)];
      // Each row of whole steps. Signs at random: many equal values that are small beside a sum round it all the same way.
      for (const tensor of [k, v]) tensor.data = tensor.data.map((x) => loud * Math.round((2 * x) / loud));
      for (let n = 0; n < k.data.length; n += 8) k.data[n] = random.pick([loud, -loud]) * 127;
      for (let n = 0; n < v.data.length; n += 4) v.data[n] = random.pick([loud, -loud]) * 127;
      both.attend([random.tensor([2, 6, step, 8], 0.01), k, v], {}, { logSumExp: true });
    }
    both.dispose();
  });

  describe('bytes held', () => {
    // Two entries of two heads, 16 numbers for a key and for a value; int8 has a factor for each.
    const ofToken = { float32: 4 * 32 * 4, float16: 4 * 32 * 2, int8: 4 * (32 + 8) };
    test.each(cacheTypes)('%s', (dtype) => {
      const S = 1000;
      using cache = engine().kvCache({ batch: 2, numKvHeads: 2, headDim: 16, capacity: 5000, dtype });
      expect(cache.byteLength).toBe(0);
      const [k, v] = [random.tensor([2, 2, S, 16]), random.tensor([2, 2, S, 16])];
      const token = { data: new Float32Array(64), shape: [2, 2, 1, 16] };
      cache.append(token, token);
      const first = cache.byteLength;
      expect(first).toBeGreaterThan(0);
      cache.append(k, v);
      const needed = (S + 1) * ofToken[dtype];
      expect(cache.byteLength).toBeGreaterThanOrEqual(needed);
      expect(cache.byteLength).toBeLessThanOrEqual(1.5 * needed);
      const fork = cache.fork();
      expect(fork.byteLength).toBe(cache.byteLength);
      cache.truncate(1);
      expect([cache.byteLength, fork.byteLength > needed]).toEqual([first, true]);
      cache.clear();
      expect(cache.byteLength).toBe(0);
      fork.dispose();
    });
  });

  describe('memory', () => {
    const large = { numKvHeads: 8, headDim: 64, capacity: 2048 }; // 8 MiB
    const fill = (cache: KvCache, count = 2048) =>
      cache.append(random.tensor([8, count, 64]), random.tensor([8, count, 64]));
    test('is shared by forks until they part', async () => {
      const own = await createAttention(load(variant));
      const cache = own.kvCache({ ...large, capacity: 2100 });
      fill(cache);
      const before = own.info.memoryBytes;
      const forks = Array.from({ length: 30 }, () => cache.fork());
      for (const fork of forks) fill(fork, 1);
      expect(own.info.memoryBytes - before).toBeLessThan(30 * (1 << 20));
      for (const fork of forks) expect([fork.length, fork.byteLength]).toEqual([2049, forks[0]?.byteLength]);
      own.dispose();
    });
    test('is given back', async () => {
      const own = await createAttention(load(variant));
      const [k, v] = [random.tensor([8, 2048, 64]), random.tensor([8, 2048, 64])];
      const round = () => {
        using cache = own.kvCache(large);
        cache.append(k, v);
        using fork = cache.fork();
        fork.truncate(1000);
        cache.clear();
        cache.append(k, v);
      };
      for (let n = 0; n < 3; n++) round();
      const settled = own.info.memoryBytes;
      for (let n = 0; n < 20; n++) round();
      expect(own.info.memoryBytes).toBe(settled);
      own.dispose();
    });
    test('that is not there leaves the cache as it was', async () => {
      const own = await createAttention({ ...load(variant), maximumMemoryBytes: 24 << 20 });
      const both = new Twin(own, { batch: 2, numKvHeads: 2, headDim: 64, capacity: 1_000_000 });
      const chunk = () => [random.tensor([2, 2, 100, 64]), random.tensor([2, 2, 100, 64])] as const;
      both.append(...chunk());
      // Staged it needs 20 MiB, and as much again as pages.
      const [k, v] = [random.tensor([2, 2, 10_000, 64]), random.tensor([2, 2, 10_000, 64])];
      const bytes = both.cache.byteLength;
      for (let n = 0; n < 3; n++) {
        expect(() => both.cache.append(k, v)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
        expect([both.cache.length, both.cache.byteLength]).toEqual([100, bytes]);
      }
      const weighed = () => both.cache.attend(random.tensor([2, 2, 9000, 64]), ...chunk(), { weights: true });
      expect(weighed).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
      expect([both.cache.length, both.cache.byteLength]).toEqual([100, bytes]);
      both.attend([random.tensor([2, 2, 100, 64]), ...chunk()], {}, { logSumExp: true });
      own.dispose();
    });
  });
});
