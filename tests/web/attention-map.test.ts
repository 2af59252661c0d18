import { createAttention, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, largest, probabilityTolerance } from './compare.ts';
import { attention, type OracleOptions } from './oracle/attention.ts';
import { type MapOptions, pooled } from './oracle/attention-map.ts';
import type { Exact } from './oracle/values.ts';
import { type Floats, type Plain, Random, seed } from './random.ts';
import { exactly, type Rules, randomRules, telling } from './random-rules.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
type Form = { layout?: 'BHSD' | 'BSHD'; numHeads?: number; numKvHeads?: number };

/** BHSD keys with NaN wherever no query sees them. */
function poisoned(k: Floats, { data, shape }: Exact, H: number): Floats {
  const [B = 0, Hkv = 0, Skv = 0, D = 0] = k.shape;
  const Sq = shape[2] as number;
  const bad = { ...k, data: k.data.slice() };
  for (let line = 0; line < B * Hkv; line++)
    for (let j = 0; j < Skv; j++) {
      const rows = (H / Hkv) * Sq;
      let seen = false;
      for (let row = line * rows; row < (line + 1) * rows; row++) seen ||= data[row * Skv + j] !== -Infinity;
      if (!seen) bad.data.fill(NaN, (line * Skv + j) * D, (line * Skv + j + 1) * D);
    }
  return bad;
}

forEachVariant(`attentionMap, seed ${seed}`, (engine, variant) => {
  /** Against the oracle's probabilities and those of the same call, with and without its logSumExp. */
  function check([q, k]: [Floats, Floats], map: MapOptions, rules: Rules = { options: {} }, form: Form = {}): void {
    const one = attention(q, k, k, form).scores.shape as [number, number, number, number];
    const [B, H, Sq, Skv] = one;
    const exact = attention(q, k, k, { ...form, ...exactly(rules, { B, H, Sq, Skv }) } as OracleOptions);
    const of = probabilityTolerance(exact);
    const tolerance = largest(exact.probabilities.data.map((_, pair) => of(pair)));
    const options = { ...form, ...rules.options };
    telling(rules, { ...form, ...map, q: q.shape, k: k.shape }, () => {
      const got = engine().attentionMap(q, k, { ...options, ...map });
      if (k.shape.length === 4 && !form.layout) {
        const bad = poisoned(k, exact.biased, H);
        expectClose(engine().attentionMap(q, bad, { ...options, ...map }), got, 0);
      }
      expect(got.dims).toEqual(got.shape);
      expectClose(got, pooled(exact.probabilities, map), tolerance);
      const whole = engine().scaledDotProductAttention(q, k, k, { ...options, weights: true, logSumExp: true });
      const { data, shape } = whole.weights;
      expectClose(got, pooled({ data: Float64Array.from(data), shape }, map), 2 * tolerance);
      const given = engine().attentionMap(q, k, { ...options, ...map, logSumExp: whole.logSumExp });
      expectClose(given, got, 2 * tolerance);
    });
  }
  const heads = (B: number, H: number, Hkv: number, Sq: number, Skv: number, D = 8): [Floats, Floats] => [
    random.tensor([B, H, Sq, D]),
    random.tensor([B, Hkv, Skv, D]),
  ];
  const pools = [{}, { pool: 'max' }, { pool: 'mean' }] as const;

  describe.each(pools)('%o', (pool) => {
    test.each([
      [8, 8],
      [7, 5],
      [1, 1],
      [33, 65],
      [65, 33],
      [64, 64],
      [130, 130],
      [1000, 3],
    ])('size %i × %i of 130 × 130', (R, C) => check(heads(1, 2, 2, 130, 130), { ...pool, size: [R, C] }));
    test.each([
      [
        [0, 130],
        [0, 130],
      ],
      [
        [0, 1],
        [129, 130],
      ],
      [
        [63, 65],
        [60, 70],
      ],
      [
        [64, 128],
        [0, 64],
      ],
      [
        [10, 130],
        [3, 128],
      ],
      [
        [129, 130],
        [0, 130],
      ],
    ] as [[number, number], [number, number]][])('rows %o, columns %o', (rows, columns) => {
      for (const size of [undefined, [4, 4], [3, 70]] as const)
        check(
          heads(1, 1, 1, 130, 130),
          { ...pool, rows, columns, ...(size && { size }) },
          { options: { causal: true } },
        );
    });
    test('256 × 256 at most by default', () => {
      check(heads(1, 1, 1, 300, 20, 4), pool);
      check(heads(1, 1, 1, 3, 515, 4), pool);
      expect(engine().attentionMap(random.tensor([600, 4]), random.tensor([700, 4]), pool).shape).toEqual([
        1, 1, 256, 256,
      ]);
    });
  });

  const forms: [string, (h: number, S: number, D: number) => number[], Form][] = [
    ['[S,D]', (_, S, D) => [S, D], {}],
    ['[H,S,D]', (h, S, D) => [h, S, D], {}],
    ['[S,H·D]', (h, S, D) => [S, h * D], { numHeads: 4, numKvHeads: 2 }],
    ['[B,S,H·D]', (h, S, D) => [2, S, h * D], { numHeads: 4, numKvHeads: 2 }],
    ['BHSD', (h, S, D) => [2, h, S, D], {}],
    ['BSHD', (h, S, D) => [2, S, h, D], { layout: 'BSHD' }],
  ];
  test.each(forms)('%s, grouped heads', (_, shapeOf, form) => {
    const inputs: [Floats, Floats] = [random.tensor(shapeOf(4, 30, 8)), random.tensor(shapeOf(2, 50, 8))];
    for (const pool of pools) check(inputs, { ...pool, size: [9, 11] }, { options: { causal: 'lower-right' } }, form);
  });

  test('every combination of rules, at random', () => {
    for (let n = 0; n < 40; n++) {
      const [B, Hkv] = [random.integer(1, 2), random.integer(1, 2)];
      const H = Hkv * random.integer(1, 2);
      const length = () => random.pick([1, 7, 40, 63, 64, 65, 100, 129]);
      const [Sq, Skv] = [length(), length()];
      const range = (S: number): [number, number] => {
        const start = random.integer(0, S - 1);
        return [start, random.integer(start + 1, S)];
      };
      const map: MapOptions = {
        ...(random.chance(0.5) && { rows: range(Sq) }),
        ...(random.chance(0.5) && { columns: range(Skv) }),
        ...(random.chance(0.7) && { size: [random.integer(1, 70), random.integer(1, 70)] as const }),
        ...random.pick(pools),
      };
      const D = random.pick([1, 3, 8, 33, 64]);
      check(heads(B, H, Hkv, Sq, Skv, D), map, randomRules(random, { B, H, Sq, Skv }));
    }
  });

  test('the given logSumExp is what is divided by', () => {
    const [q, k] = heads(1, 2, 2, 20, 20);
    const { logSumExp } = engine().scaledDotProductAttention(q, k, k, { logSumExp: true });
    const plain = engine().attentionMap(q, k, { size: [5, 5] });
    const more = { ...logSumExp, data: logSumExp.data.map((value) => value + Math.LN2) };
    const half = engine().attentionMap(q, k, { size: [5, 5], logSumExp: more });
    expectClose(half, { data: plain.data.map((p) => p / 2), shape: plain.shape }, 4e-6);
  });
  test('rows that see nothing are zeros, with and without logSumExp', () => {
    const [q, k] = heads(1, 1, 1, 6, 6);
    const options = { causal: true, queryOffset: -3 } as const;
    const { logSumExp } = engine().scaledDotProductAttention(q, k, k, { ...options, logSumExp: true });
    for (const pool of ['max', 'mean'] as const)
      for (const given of [{}, { logSumExp }]) {
        const { data } = engine().attentionMap(q, k, { ...options, pool, ...given });
        expect(Array.from(data.subarray(0, 18))).toEqual(Array(18).fill(0));
        expect(data[18]).toBeCloseTo(1, 5);
      }
  });
  test('NaN at masked keys does not leak', () => {
    const [q, k] = heads(1, 2, 2, 70, 70);
    const want = engine().attentionMap(q, k, { kvLengths: [50], size: [10, 10] });
    for (const h of [0, 1]) k.data.fill(NaN, (h * 70 + 50) * 8, (h + 1) * 70 * 8);
    expectClose(engine().attentionMap(q, k, { kvLengths: [50], size: [10, 10] }), want, 0);
    const rule = { mask: masks.keyPadding([50]), size: [10, 10] } as const;
    expectClose(engine().attentionMap(q, k, rule), want, 2e-6);
  });
  test('NaN that is seen shows in its cell, and is not lost by max', () => {
    const [q, k] = heads(1, 1, 1, 8, 8);
    q.data.fill(NaN, 5 * 8, 6 * 8);
    for (const pool of ['max', 'mean'] as const) {
      const { data } = engine().attentionMap(q, k, { size: [4, 2], pool });
      expect(Array.from(data, Number.isNaN)).toEqual([false, false, false, false, true, true, false, false]);
    }
  });
  test('scores of −∞ alone: NaN at the pairs that are seen, 0 at masked ones', () => {
    const [q, k] = heads(1, 1, 1, 70, 70);
    q.data.fill(1);
    k.data.fill(-Infinity);
    const seen = (n: number) => n % 3 > 0;
    const attentionMask: Plain = {
      data: Uint8Array.from({ length: 70 }, (_, j) => Number(seen(j))),
      shape: [1, 70],
      dtype: 'bool',
    };
    for (const pool of pools) {
      for (const options of [
        { attentionMask },
        { causal: true },
        { window: [3, 5] as const },
        { mask: { ...attentionMask, shape: [70] } },
      ])
        check([q, k], { ...pool, size: [70, 70] }, { options });
      const mask = masks.causal();
      const { data } = engine().attentionMap(q, k, { ...pool, mask });
      expect(Array.from(data, Number.isNaN)).toEqual(Array.from(data, (_, n) => n % 70 <= Math.floor(n / 70)));
      expect(data.every((value) => Number.isNaN(value) || value === 0)).toBe(true);
    }
  });
  test('a cell of 2^32 pairs', () => {
    // Each query sees the key of its own place alone.
    const one = { data: new Float32Array(65536).fill(1), shape: [65536, 1] };
    const cell = { window: [0, 0], size: [1, 1] } as const;
    expect(Array.from(engine().attentionMap(one, one, { ...cell, pool: 'mean' }).data)).toEqual([2 ** -16]);
    expect(Array.from(engine().attentionMap(one, one, cell).data)).toEqual([1]);
    const columns = engine().attentionMap(one, one, { ...cell, size: [1, 3], pool: 'mean' });
    expectClose(columns, { data: [2 ** -16, 2 ** -16, 2 ** -16], shape: [1, 1, 1, 3] }, 2 ** -39);
  });
  test.each([{ causal: true }, { causal: true, window: [700, 0] }, { window: [700, 900] }] as const)(
    'the mean of millions of pairs, all in one cell: %o',
    (options) => {
      // The probabilities of a row sum to 1, so those of Sq rows over Sq·Skv pairs have the mean 1/Skv.
      const S = 8192;
      const [q, k] = [random.tensor([S, 1]), random.tensor([S, 1])];
      const { data } = engine().attentionMap(q, k, { ...options, size: [1, 1], pool: 'mean' });
      expect(Math.abs((data[0] as number) * S - 1)).toBeLessThan(1e-6);
    },
  );
  test('an empty range and no queries give nothing', () => {
    const [q, k] = heads(1, 2, 2, 5, 6);
    expect(engine().attentionMap(q, k, { rows: [3, 3] }).shape).toEqual([1, 2, 0, 6]);
    expect(engine().attentionMap(q, k, { columns: [6, 6] }).shape).toEqual([1, 2, 5, 0]);
    expect(engine().attentionMap(random.tensor([0, 4]), random.tensor([3, 4])).shape).toEqual([1, 1, 0, 3]);
  });
  test('memory grows with the length and the map, not with the pairs', async () => {
    const own = await createAttention({ variant });
    const S = 4096; // probabilities of 64 MiB
    const [q, k] = [random.tensor([S, 4]), random.tensor([S, 4])];
    const { data } = own.attentionMap(q, k, { causal: true, size: [64, 64], pool: 'mean' });
    expect(own.info.highWaterBytes).toBeLessThan(2 * S * 4 * 4 + S * 4 + 64 * 64 * 4 + (1 << 20));
    // Every row of pairs sums to 1, so every row of means of 64 × 64 pairs to 1/64.
    for (let r = 0; r < 64; r++)
      expect(data.subarray(r * 64, r * 64 + 64).reduce((a, b) => a + b, 0) * 64).toBeCloseTo(1, 4);
    own.dispose();
  });
  test('a zoomed map is the map of the part', () => {
    const [q, k] = heads(1, 1, 1, 128, 128);
    const whole = engine().attentionMap(q, k, { causal: true, size: [128, 128] });
    const part = engine().attentionMap(q, k, { causal: true, rows: [32, 96], columns: [16, 48], size: [64, 32] });
    const want = Array.from(
      { length: 64 * 32 },
      (_, n) => whole.data[(32 + Math.floor(n / 32)) * 128 + 16 + (n % 32)] as number,
    );
    expectClose(part, { data: want, shape: [1, 1, 64, 32] }, 4e-6);
  });
});
