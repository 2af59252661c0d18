import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectAttention, expectEverything, type Inputs, type Options, stages } from './against-oracle.ts';
import { expectClose, largest, U } from './compare.ts';
import { alibiSlopes } from './oracle/attention-rules.ts';
import { crossAttention, selfAttention } from './oracle/layers.ts';
import * as rules from './oracle/masks.ts';
import { type Floats, inType, type Plain, Random } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(6);
const [B, H, Sq, Skv, D] = [2, 3, 4, 6, 8];
const inputs = (queries = Sq, keys = Skv, heads = H, kvHeads = heads): Inputs => [
  random.tensor([B, heads, queries, D]),
  random.tensor([B, kvHeads, keys, D]),
  random.tensor([B, kvHeads, keys, D]),
];
const floats = (...values: number[]): Floats => ({ data: Float32Array.from(values), shape: [values.length] });

forEachVariant('attention options', (engine) => {
  const tap = (weights: (typeof stages)[number], options: object, [q, k, v]: Inputs = inputs()) =>
    engine().scaledDotProductAttention(q, k, v, { ...options, weights }).weights;
  /** Which keys each query of head 0 of batch b sees. */
  const attends = (options: object, b = 0, sizes = inputs()): string[] => {
    const { data, shape } = tap('probabilities', options, sizes);
    const [, heads = 0, rows = 0, columns = 0] = shape;
    const row = (i: number) => data.subarray((b * heads * rows + i) * columns, (b * heads * rows + i + 1) * columns);
    return Array.from({ length: rows }, (_, i) => Array.from(row(i), (p) => (p > 0 ? '1' : '0')).join(''));
  };

  describe('semantics 4: windows', () => {
    test.each([
      [[0, 0], 0, ['100000', '010000', '001000', '000100']],
      [[1, 0], 0, ['100000', '110000', '011000', '001100']],
      [[0, 1], 0, ['110000', '011000', '001100', '000110']],
      [[1, 2], 1, ['111100', '011110', '001111', '000111']],
      [[-1, 0], 2, ['111000', '111100', '111110', '111111']],
      [[0, -1], 2, ['001111', '000111', '000011', '000001']],
      [[-1, -1], 9, Array(4).fill('111111')],
      [[2, 0], -2, ['000000', '000000', '100000', '110000']],
      [[1, 1], 4, ['000111', '000011', '000001', '000000']],
    ] as [[number, number], number, string[]][])('window [%s] at %i', (window, queryOffset, pattern) => {
      expect(attends({ window, queryOffset })).toEqual(pattern);
      expectEverything(engine(), inputs(), { window, queryOffset });
    });
    test('causal takes the right side of a window', () => {
      expect(attends({ window: [1, 1], causal: true })).toEqual(attends({ window: [1, 0] }));
      expect(attends({ window: [1, -1], causal: true, queryOffset: 2 })).toEqual(
        attends({ window: [1, 0], queryOffset: 2 }),
      );
      expect(attends({ window: [1, 3], causal: 'lower-right' })).toEqual(['011000', '001100', '000110', '000011']);
    });
    test('a window stands where each batch entry stands', () => {
      const options = { window: [1, 0] as const, queryOffset: [0, 2] };
      expect(attends(options, 0)).toEqual(['100000', '110000', '011000', '001100']);
      expect(attends(options, 1)).toEqual(['011000', '001100', '000110', '000011']);
      const valid = { window: [0, -1] as const, causal: 'lower-right' as const, kvLengths: [6, 4] };
      expect(attends(valid, 0)).toEqual(['001000', '000100', '000010', '000001']);
      expect(attends(valid, 1)).toEqual(['100000', '010000', '001000', '000100']);
    });
    const far = 2 ** 31 - 1;
    test.each([
      [[far, far], far],
      [[far, 0], 5],
      [[0, far], -far],
      [[far, far], -far - 1],
      [[0, 0], far],
      [[-1, 0], far],
    ] as [[number, number], number][])(
      'sums of window [%s] and offset %i do not wrap around',
      (window, queryOffset) => {
        expectEverything(engine(), inputs(), { window, queryOffset });
        expectEverything(engine(), inputs(), { window, queryOffset, causal: true });
      },
    );
    test('kvLengths, attentionMask and dense masks keep to plain indices', () => {
      const mask: Plain = { data: Uint8Array.of(1, 1, 0, 1, 1, 1), shape: [Skv], dtype: 'bool' };
      const options = { window: [1, 1] as const, queryOffset: 2, kvLengths: [5, 5], mask };
      expect(attends(options)).toEqual(['010100', '000110', '000110', '000010']);
    });
    test('long rows: windows narrower and wider than the blocks', () => {
      for (const window of [
        [5, 0],
        [0, 5],
        [63, 64],
        [130, 10],
        [250, -1],
      ] as const)
        for (const queryOffset of [0, 190, -40])
          expectAttention(
            engine(),
            [random.tensor([200, 8]), random.tensor([400, 8]), random.tensor([400, 8])],
            { window, queryOffset },
            { weights: true, logSumExp: true },
          );
    });
  });

  describe('semantics 2: softcap', () => {
    test('the four taps: scores before it, softcapped after, then what is added', () => {
      const x = inputs();
      const mask = random.tensor([Sq, Skv]);
      const options = { softcap: 0.7, mask, alibi: true, causal: true } as const;
      expectEverything(engine(), x, options);
      const [scores, capped, biased] = stages.map((stage) => tap(stage, options, x).data) as [...Float32Array[]] as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const plain = tap('scores', {}, x);
      expectClose({ data: scores, shape: plain.shape }, plain, (i) => 4 * U * Math.abs(plain.data[i] as number));
      expect(largest(capped)).toBeLessThanOrEqual(0.7);
      expect(Array.from(scores.subarray(0, 6))).not.toEqual(Array.from(capped.subarray(0, 6)));
      expect(biased[0]).toBeCloseTo((capped[0] as number) + (mask.data[0] as number), 6);
      expect(Array.from(biased.subarray(1, 6))).toEqual(Array(5).fill(-Infinity));
    });
    test('masks come after it: −∞ is not capped to −c, and a float mask may pass c', () => {
      const mask = floats(-Infinity, 100, 0, -Infinity, -100, 0);
      expectEverything(engine(), inputs(), { softcap: 2, mask });
      const { data } = tap('biased', { softcap: 2, mask, scale: 0 });
      expect(Array.from(data.subarray(0, 6))).toEqual([-Infinity, 100, 0, -Infinity, -100, 0]);
    });
    test.each([1e-3, 1, 30, 50, 1e4])('a softcap of %f keeps scores far below it, whatever their size', (softcap) => {
      const q = floats(1);
      const k: Floats = { data: Float32Array.of(1e-6, -1e-4, 0.01, 0.3, -1, 4, 20, -300), shape: [8, 1] };
      const v = random.tensor([8, 3]);
      expectEverything(engine(), [{ ...q, shape: [1, 1] }, k, v], { softcap });
    });
    test('0 is none', () => {
      const x = inputs();
      const plain = engine().scaledDotProductAttention(...x).output;
      expectClose(engine().scaledDotProductAttention(...x, { softcap: 0 }).output, plain, 0);
      expectClose(tap('softcapped', { softcap: 0 }, x), tap('scores', {}, x), 0);
    });
    test('a scale of 0 and a negative scale', () => {
      expectEverything(engine(), inputs(), { softcap: 3, scale: 0 });
      expectEverything(engine(), inputs(), { softcap: 3, scale: -2 });
    });
  });

  describe('semantics 9: ALiBi', () => {
    test.each([1, 2, 3, 5, 6, 7, 8, 12, 16])('true: the slopes of %i heads', (heads) => {
      const x = inputs(3, 5, heads);
      expectEverything(engine(), x, { alibi: true });
      const { data } = tap('biased', { alibi: true, scale: 0 }, x);
      const slopes = alibiSlopes(heads);
      const ofFirstQuery = slopes.map((_, h) => -(data[h * 15 + 1] as number));
      expectClose({ data: ofFirstQuery, shape: [heads] }, { data: slopes, shape: [heads] }, 1e-7);
    });
    test('distance counts from the position, on both sides', () => {
      const { data } = tap('biased', { alibi: floats(2, 0, -1), scale: 0, queryOffset: [1, -3] });
      expect(Array.from(data.subarray(0, 12), (x) => x + 0)).toEqual([-2, 0, -2, -4, -6, -8, -4, -2, 0, -2, -4, -6]);
      expect(Array.from(data.subarray(24, 30), (x) => x + 0)).toEqual(Array(6).fill(0));
      expect(Array.from(data.subarray(72, 78), (x) => x + 0)).toEqual([-6, -8, -10, -12, -14, -16]);
    });
    test("it stands where 'lower-right' stands", () => {
      const { data } = tap('biased', { alibi: floats(1, 1, 1), scale: 0, causal: 'lower-right' });
      expect(Array.from(data.subarray(0, 6), (x) => x + 0)).toEqual([-2, -1, 0, -Infinity, -Infinity, -Infinity]);
    });
    test('slopes go by query heads, of whatever float type', () => {
      const slopes = floats(0.5, 0.25, 1, 0.125, 2, 0.0625);
      for (const type of ['float32', 'float64', 'float16'] as const)
        expectEverything(engine(), inputs(5, 7, 6, 2), { alibi: inType(type, slopes), causal: true });
    });
    test('beside every other rule, and over long rows', () => {
      const options = { alibi: true, window: [40, -1], causal: true, queryOffset: 150, softcap: 20 } as const;
      expectAttention(engine(), inputs(100, 260), options, { weights: 'biased', logSumExp: true });
    });
  });

  describe('semantics 8: sinks', () => {
    test('a sink takes part in the denominator and in nothing else', () => {
      const x = inputs();
      const sinks = floats(0, 2, -1);
      expectEverything(engine(), x, { sinks });
      const plain = engine().scaledDotProductAttention(...x, { logSumExp: true });
      const got = engine().scaledDotProductAttention(...x, { sinks, weights: true, logSumExp: true });
      got.logSumExp.data.forEach((lse, line) => {
        const sink = sinks.data[Math.floor(line / Sq) % H] as number;
        expect(lse).toBeCloseTo(Math.log(Math.exp(plain.logSumExp.data[line] as number) + Math.exp(sink)), 5);
        const row = got.weights.data.subarray(line * Skv, (line + 1) * Skv);
        const total = row.reduce((sum, p) => sum + p, 0);
        expect(total).toBeCloseTo(1 - Math.exp(sink - lse), 5);
      });
    });
    test.each([60, 80, 1000, 3e38])('a sink of %f above all scores leaves nothing', (sink) => {
      const x = inputs();
      const got = engine().scaledDotProductAttention(...x, { sinks: floats(sink, sink, sink), logSumExp: true });
      expect(largest(got.output.data)).toBeLessThan(1e-20);
      for (const lse of got.logSumExp.data) expect(Math.abs(lse / sink - 1)).toBeLessThan(1e-6);
      if (sink < 1e3) expectEverything(engine(), x, { sinks: floats(sink, 0, -sink) });
    });
    test.each([-60, -1000, -3e38, -Infinity])('a sink of %f below all scores is none', (sink) => {
      const x = inputs();
      const plain = engine().scaledDotProductAttention(...x, { logSumExp: true });
      const got = engine().scaledDotProductAttention(...x, { sinks: floats(sink, sink, sink), logSumExp: true });
      expectClose(got.output, plain.output, 1e-6);
      expectClose(got.logSumExp, plain.logSumExp, 1e-6);
    });
    test('a sink of 0 is softmax off by one (Miller 2023): low scores attend to nothing', () => {
      const mask = floats(...Array(Skv).fill(-100));
      expect(
        largest(engine().scaledDotProductAttention(...inputs(), { mask, sinks: floats(0, 0, 0) }).output.data),
      ).toBeLessThan(1e-30);
    });
    test('sinks are not softcapped, biased or scaled', () => {
      const sinks = floats(6, -4, 3);
      expectEverything(engine(), inputs(), {
        sinks,
        softcap: 1,
        alibi: true,
        scale: 0.01,
        mask: random.tensor([Sq, Skv]),
      });
    });
    test('of whatever float type, over long rows', () => {
      for (const type of ['float32', 'float64', 'float16'] as const)
        expectAttention(
          engine(),
          inputs(70, 300),
          { sinks: inType(type, floats(1, -2, 0.5)), causal: true },
          { weights: true, logSumExp: true },
        );
    });
  });

  describe('the same options over projections', () => {
    const E = 12;
    const weights = {
      query: random.tensor([H * D, E], 0.3),
      key: random.tensor([H * D, E], 0.3),
      value: random.tensor([H * D, E], 0.3),
      output: random.tensor([E, H * D], 0.2),
    };
    const all: [string, Options][] = [
      ['window', { window: [1, 2] }],
      ['softcap', { softcap: 0.5 }],
      ['alibi', { alibi: true, queryOffset: 1 }],
      ['sinks', { sinks: floats(1, 0, -1) }],
      ['a rule', { mask: masks.dilated(2, 2), rule: rules.dilated(2, 2) }],
      [
        'a rule of each batch entry and head',
        {
          mask: masks.fromFunction((b, h, p, j) => (p + j + b) % 3 !== h),
          rule: ({ b, h, p, j }) => (p + j + b) % 3 !== h,
          queryOffset: [1, 4],
        },
      ],
      [
        'all of them',
        { window: [3, 1], softcap: 2, alibi: true, sinks: floats(1, 0, -1), causal: true, kvLengths: [5, 2] },
      ],
    ];
    test.each(all)('%s', (_, { rule, ...options }) => {
      const [x, context] = [random.tensor([2, 5, E]), random.tensor([2, 7, E])];
      const told = { ...options, ...(rule && { rule, mask: undefined }), numHeads: H } as object;
      const given = { ...(options as object), numHeads: H, weights: true, logSumExp: true } as const;
      const pairs = [
        [engine().selfAttention(x, weights, given), selfAttention(x, weights, told)],
        [engine().crossAttention(x, context, weights, given), crossAttention(x, context, weights, told)],
      ] as const;
      for (const [got, want] of pairs) {
        expectClose(got.output, want.output, 5e-6 * (1 + largest(want.output.data)));
        expectClose(got.weights, want.probabilities, 5e-6);
        expectClose(got.logSumExp, want.logSumExp, 5e-6 * (1 + largest(want.logSumExp.data)));
      }
    });
  });
});
