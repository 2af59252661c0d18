import { createAttention, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, largest } from './compare.ts';
import type { CacheConfig } from './kv-cache-model.ts';
import type { OracleOptions } from './oracle/attention.ts';
import * as rules from './oracle/masks.ts';
import { type MultiHead, multiHeadAttention } from './oracle/multi-head.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant, load } from './variants.ts';

const random = new Random(seed);

function stateDict({
  embedDim: E,
  numHeads: H,
  numKvHeads = H,
  kdim = E,
  vdim = E,
}: MultiHead): Record<string, Floats> {
  const kv = numKvHeads * (E / H);
  const matrix = (rows: number, columns: number) => random.tensor([rows, columns], columns ** -0.5);
  return {
    ...(kdim === E && vdim === E
      ? { in_proj_weight: matrix(E + 2 * kv, E) }
      : { q_proj_weight: matrix(E, E), k_proj_weight: matrix(kv, kdim), v_proj_weight: matrix(kv, vdim) }),
    'out_proj.weight': matrix(E, E),
    in_proj_bias: random.tensor([E + 2 * kv]),
    'out_proj.bias': random.tensor([E]),
  };
}

/** Positions from … to − 1 of the last axis but one, and of the last the first `columns`. */
function part(
  { data, shape }: { data: ArrayLike<number>; shape: readonly number[] },
  from: number,
  to: number,
  columns = shape.at(-1) as number,
) {
  const [S, width] = shape.slice(-2) as [number, number];
  const lead = shape.slice(0, -2);
  const count = lead.reduce((a, b) => a * b, 1);
  const out = new Float32Array(count * (to - from) * columns);
  let n = 0;
  for (let line = 0; line < count; line++)
    for (let s = from; s < to; s++)
      for (let c = 0; c < columns; c++) out[n++] = data[(line * S + s) * width + c] as number;
  return { data: out, shape: [...lead, to - from, columns] };
}

/** Rows of length about 1 keep numbers near 1..10; four products in a row lose a few roundings of that (multi-head.test.ts). */
const tolerance = (exact: { data: ArrayLike<number> }) => 5e-6 * (1 + largest(exact.data));

forEachVariant(`multiHeadAttention with a cache, seed ${seed}`, (engine) => {
  const configs: [string, MultiHead][] = [
    ['packed', { embedDim: 24, numHeads: 3 }],
    ['grouped heads', { embedDim: 32, numHeads: 4, numKvHeads: 2 }],
    ['one head', { embedDim: 8, numHeads: 1 }],
    ['kdim and vdim', { embedDim: 24, numHeads: 3, kdim: 10, vdim: 7 }],
  ];
  const cacheOf = ({ embedDim: E, numHeads: H, numKvHeads = H }: MultiHead, more: Partial<CacheConfig> = {}) =>
    engine().kvCache({ numKvHeads, headDim: E / H, capacity: 100, ...more });

  /** In chunks with a cache, against the whole at once. */
  const compare = (
    config: MultiHead,
    lead: number[],
    chunks: number[],
    oracle: OracleOptions,
    options = {},
    more: Partial<CacheConfig> = {},
  ) => {
    const { embedDim: E, kdim = E, vdim = E } = config;
    const S = chunks.reduce((a, b) => a + b, 0);
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    using cache = cacheOf(config, { ...(lead[0] && { batch: lead[0] }), ...more });
    const x = random.tensor([...lead, S, E]);
    const [key, value] =
      kdim === E && vdim === E ? [x, x] : [random.tensor([...lead, S, kdim]), random.tensor([...lead, S, vdim])];
    const exact = multiHeadAttention(config, weights, [x, key, value], oracle);
    let from = 0;
    for (const count of chunks) {
      const to = from + count;
      const inputs = key === x ? [part(x, from, to)] : [x, key, value].map((tensor) => part(tensor, from, to));
      const got = layer.forward(...(inputs as [Floats, Floats, Floats]), {
        cache,
        weights: true,
        logSumExp: true,
        ...options,
      });
      const want = part(exact.output, from, to);
      expectClose(got.output, want, tolerance(exact.output));
      expectClose(got.weights, part(exact.probabilities, from, to, to), 1e-5);
      const { data, shape } = exact.logSumExp;
      const lse = part({ data, shape: [...shape, 1] }, from, to);
      expectClose(got.logSumExp, { data: lse.data, shape: lse.shape.slice(0, 3) }, tolerance(exact.logSumExp));
      expect(cache.length).toBe(to);
      from = to;
    }
  };

  describe.each(configs)('%s', (_, config) => {
    test.each([[[9]], [[1, 8]], [[5, 1, 1, 2]], [[17, 1, 30]]])('chunks of %j give what the whole gives', (chunks) => {
      compare(config, [2], chunks, { causal: true });
      compare(config, [], chunks, { causal: true });
    });
    test('rules count absolute positions', () => {
      const chunks = [6, 1, 9, 1];
      compare(config, [2], chunks, { causal: true, alibi: true }, { alibi: true });
      compare(config, [2], chunks, { causal: true, window: [4, -1], softcap: 2 }, { window: [4, -1], softcap: 2 });
      const mask = masks.slidingWindow(3, 0).or(masks.globalTokens([0]));
      compare(
        config,
        [2],
        chunks,
        { causal: true, rule: rules.or(rules.slidingWindow(3, 0), rules.globalTokens([0])) },
        { mask },
      );
    });
    test('a window of the cache', () => {
      const rule: rules.Rule = ({ p, j }) => j < 2 || j > p - 5;
      compare(
        config,
        [2],
        [3, 1, 1, 9, 1, 1],
        { causal: true, rule },
        {},
        { capacity: undefined as never, window: 5, sinkTokens: 2 },
      );
    });
  });

  const config = { embedDim: 16, numHeads: 2 };
  test('causal unless it says otherwise', () => {
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    const x = random.tensor([6, 16]);
    for (const causal of [undefined, true, 'lower-right', false] as const) {
      using cache = cacheOf(config);
      const want = multiHeadAttention(config, weights, [x, x, x], { causal: causal !== false });
      expectClose(layer.forward(x, { cache, causal } as object).output, want.output, tolerance(want.output));
    }
    const want = multiHeadAttention(config, weights, [x, x, x]);
    expectClose(layer.forward(x).output, want.output, tolerance(want.output)); // and without a cache it is not
  });
  test('averageWeights and out', () => {
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    using cache = cacheOf(config, { batch: 2 });
    const x = random.tensor([2, 7, 16]);
    layer.forward(part(x, 0, 4), { cache });
    const exact = multiHeadAttention(config, weights, [x, x, x], { causal: true });
    const out = new Float32Array(2 * 3 * 16);
    const got = layer.forward(part(x, 4, 7), { cache, weights: true, averageWeights: true, out });
    expect(got.output.data).toBe(out);
    expectClose(got.output, part(exact.output, 4, 7), tolerance(exact.output));
    expectClose(got.weights, part(exact.averaged('probabilities'), 4, 7), 1e-5);
  });
  test.each(['float16', 'int8'] as const)('%s keeps the promise of its rounding', (dtype) => {
    const weights = stateDict(config);
    using layer = engine().multiHeadAttention(config, weights);
    using cache = cacheOf(config, { dtype });
    const x = random.tensor([20, 16]);
    const exact = multiHeadAttention(config, weights, [x, x, x], { causal: true });
    const got = layer.forward(x, { cache });
    // Keys and values of about 1..5 are off by 2^-11 of themselves, or by 5/254; the softmax and the projection pass on a few times that.
    const limit = dtype === 'float16' ? 0.02 : 0.5;
    expectClose(got.output, exact.output, limit);
    expect(got.output.data.some((y, n) => Math.abs(y - (exact.output.data[n] as number)) > 1e-5)).toBe(true);
  });

  describe('a cache that does not fit, and calls that fail, change nothing', () => {
    const x = random.tensor([2, 3, 16]);
    const sizes: [string, Partial<CacheConfig>][] = [
      ['other key heads', { numKvHeads: 1 }],
      ['another head size', { headDim: 4 }],
      ['another value size', { valueDim: 4 }],
      ['another batch', { batch: 3 }],
      ['no batch', { batch: 1 }],
    ];
    test.each(sizes)('%s', (_, more) => {
      using layer = engine().multiHeadAttention(config, stateDict(config));
      using cache = cacheOf(config, { batch: 2, ...more });
      expect(() => layer.forward(x, { cache })).toThrow(
        expect.objectContaining({ code: 'SHAPE_MISMATCH', argument: 'options.cache' }),
      );
      expect(cache.length).toBe(0);
    });
    test('no room, a mask that does not fit, an offset beside lower-right, upper-left', () => {
      using layer = engine().multiHeadAttention(config, stateDict(config));
      using cache = cacheOf(config, { batch: 2, capacity: 5 });
      layer.forward(x, { cache });
      const bytes = cache.toBytes();
      const calls: [object, string, string?][] = [
        [{}, 'CAPACITY_EXCEEDED'],
        [{ mask: random.tensor([3, 5]) }, 'SHAPE_MISMATCH', 'options.mask'],
        [{ causal: 'upper-left' }, 'INVALID_ARGUMENT', 'options.causal'],
        [{ causal: 'lower-right', queryOffset: 1 }, 'INVALID_ARGUMENT', 'options.queryOffset'],
        [{ out: new Float32Array(5) }, 'SHAPE_MISMATCH', 'options.out'],
      ];
      for (const [options, code, argument] of calls) {
        const tokens = code === 'CAPACITY_EXCEEDED' ? x : part(x, 0, 2);
        expect(() => layer.forward(tokens, { cache, ...options })).toThrow(
          expect.objectContaining({ code, ...(argument && { argument }) }),
        );
        expect(cache.toBytes()).toEqual(bytes);
      }
      layer.forward(part(x, 0, 2), { cache });
      expect(cache.length).toBe(5);
    });
    test('of another engine, or disposed', async () => {
      using layer = engine().multiHeadAttention(config, stateDict(config));
      const other = await createAttention(load('simd'));
      const foreign = other.kvCache({ batch: 2, numKvHeads: 2, headDim: 8, capacity: 9 });
      expect(() => layer.forward(x, { cache: foreign })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'options.cache' }),
      );
      expect(foreign.length).toBe(0);
      other.dispose();
      const gone = cacheOf(config, { batch: 2 });
      gone.dispose();
      expect(() => layer.forward(x, { cache: gone })).toThrow(
        expect.objectContaining({ code: 'DISPOSED', argument: 'options.cache' }),
      );
    });
  });
});
