import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { asStored, type CacheConfig, CacheModel, cacheTypes, stepOf } from './kv-cache-model.ts';
import { attention, type OracleOptions } from './oracle/attention.ts';
import type { Plain } from './random.ts';
import { Random, seed } from './random.ts';

const random = new Random(seed);
const config: CacheConfig = { batch: 2, numKvHeads: 2, headDim: 6, valueDim: 5, capacity: 40 };
const tensors = (S: number, Skv = S) =>
  [random.tensor([2, 4, S, 6]), random.tensor([2, 2, Skv, 6]), random.tensor([2, 2, Skv, 5])] as const;

/** Positions from … to − 1 of [B,H,S,D]. */
function part({ data, shape }: Plain, from: number, to: number): Plain {
  const [B = 0, H = 0, S = 0, D = 0] = shape;
  const lines = Array.from({ length: B * H }, (_, n) =>
    Array.from(data.slice((n * S + from) * D, (n * S + to) * D), Number),
  );
  return { data: Float32Array.from(lines.flat()), shape: [B, H, to - from, D] };
}

/** The output of each query, appended and attended in chunks. */
function inChunks(model: CacheModel, [q, k, v]: readonly Plain[], chunks: readonly number[]): number[][][] {
  let from = 0;
  return chunks.flatMap((count) => {
    const [query, key, value] = [q, k, v].map((x) => part(x as Plain, from, from + count)) as [Plain, Plain, Plain];
    from += count;
    const { output } = model.attend([query, key, value]);
    return Array.from({ length: count }, (_, i) =>
      Array.from({ length: 8 }, (_, line) =>
        Array.from(output.data.subarray((line * count + i) * 5, (line * count + i + 1) * 5)),
      ),
    );
  });
}

describe(`the model of a cache, seed ${seed}`, () => {
  test('append all, then attend only: attention over the whole', () => {
    for (const options of [{}, { causal: true, queryOffset: 3 }, { causal: 'lower-right' }] as OracleOptions[]) {
      const [q, k, v] = tensors(5, 30);
      const model = new CacheModel(config);
      model.append(part(k, 0, 7), part(v, 0, 7));
      model.append(part(k, 7, 30), part(v, 7, 30));
      const got = model.attend([q, null, null], options as object);
      const want = attention(q, k, v, options);
      expectClose(got.output, want.output, 0);
      expectClose(got.scores, want.scores, 0);
    }
  });
  test('chunks of any size: causal attention over the whole, or through the window', () => {
    const inputs = tensors(30);
    for (const [window, sinkTokens] of [
      [undefined, undefined],
      [1, 0],
      [4, 0],
      [4, 3],
      [9, 2],
      [40, 1],
    ] as const) {
      const rule = ({ p, j }: { p: number; j: number }) => j < (sinkTokens ?? 0) || j > p - (window ?? Infinity);
      const { output } = attention(...inputs, { causal: true, rule });
      for (const chunks of [[30], [1, 29], Array(30).fill(1), [7, 1, 13, 9]]) {
        const model = new CacheModel({
          ...config,
          ...(window && { window, sinkTokens, capacity: undefined }),
        } as CacheConfig);
        const got = inChunks(model, inputs, chunks);
        for (const [i, lines] of got.entries())
          for (const [line, row] of lines.entries()) {
            const want = output.data.subarray((line * 30 + i) * 5, (line * 30 + i + 1) * 5);
            expectClose({ data: row, shape: [5] }, { data: want, shape: [5] }, 1e-12);
          }
        expect([model.length, model.held]).toEqual([30, Math.min(30, window ? window + sinkTokens : 30)]);
      }
    }
  });
  test('what is gone stays so: −∞ among scores, 0 among probabilities', () => {
    const [q, k, v] = tensors(9);
    const model = new CacheModel({ ...config, window: 3, sinkTokens: 1, capacity: 5 });
    model.append(k, v);
    expect(Array.from({ length: 9 }, (_, j) => model.isGone(j))).toEqual([0, 1, 1, 1, 1, 0, 0, 0, 0].map(Boolean));
    expect([9, 7, 6, 5, 2, 1, 0, 10].map((n) => model.canTruncate(n))).toEqual([1, 1, 0, 0, 0, 1, 1, 0].map(Boolean));
    model.truncate(7);
    const [query, key, value] = [q, k, v].map((x) => part(x as Plain, 0, 1)) as [Plain, Plain, Plain];
    const { scores, probabilities } = model.attend([query, key, value]);
    expect(Array.from(scores.data.slice(0, 7), Number.isFinite)).toEqual([1, 0, 0, 0, 0, 1, 1].map(Boolean));
    expect(Array.from(probabilities.data.slice(0, 7), (p) => p > 0)).toEqual([1, 0, 0, 0, 0, 1, 1].map(Boolean));
    expect(model.length).toBe(8);
  });
  test('forks part, entries follow their beams', () => {
    const [q, k, v] = tensors(6);
    const model = new CacheModel(config);
    model.append(k, v);
    const fork = model.fork();
    fork.reorder([1, 0]);
    fork.reorder([0, 0]);
    const of = (cache: CacheModel) => cache.attend([q, null, null]).scores.data;
    const q1 = { ...q, data: Float32Array.from([...q.data.slice(0, 144), ...q.data.slice(0, 144)]) };
    const both = attention(q1, k, v).scores.data.subarray(144);
    expect(Array.from(fork.attend([q1, null, null]).scores.data)).toEqual([...both, ...both]);
    expectClose({ data: of(model), shape: [288] }, { data: attention(q, k, v).scores.data, shape: [288] }, 0);
    fork.append(k, v);
    fork.clear();
    expect([model.length, fork.length]).toEqual([6, 0]);
  });
  test.each(cacheTypes)('%s is off by no more than it may', (type) => {
    for (let n = 0; n < 500; n++) {
      const row = Float64Array.from(random.floats(random.integer(1, 40), 10 ** random.integer(-3, 3)));
      const step = stepOf(row);
      const limit = (x: number) =>
        ({ float32: 0, float16: Math.max(2 ** -11 * Math.abs(x), 2 ** -25), int8: step / 2 + 127 * 2 ** -24 * step })[
          type
        ];
      asStored(type, row).forEach((got, d) => {
        const x = row[d] as number;
        expect(!(Math.abs(got - x) <= limit(x)), `${got} for ${x}`).toBe(false);
      });
    }
  });
  test('rows that int8 cannot hold are NaN', () => {
    for (const bad of [NaN, Infinity, -Infinity])
      expect(asStored('int8', Float64Array.of(1, bad, 0)).every(Number.isNaN)).toBe(true);
    expect(Array.from(asStored('float16', Float64Array.of(65519, 65520, -Infinity, 2 ** -25)))).toEqual([
      65504,
      Infinity,
      -Infinity,
      0,
    ]);
    expect(Array.from(asStored('int8', Float64Array.of(0, 0)))).toEqual([0, 0]);
    expect(asStored('int8', Float64Array.of(2 ** -149, 0)).every(Number.isFinite)).toBe(true);
  });
});
