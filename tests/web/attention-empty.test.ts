import { describe, expect, test } from 'vitest';
import { expectAttention, expectEverything } from './against-oracle.ts';
import type { OracleOptions } from './oracle/attention.ts';
import { type Plain, Random } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(3);
const lowest = -3.4028234663852886e38; // the least finite float32
const floats = (values: number[], shape = [values.length]): Plain => ({ data: Float32Array.from(values), shape });
const bools = (values: number[], shape = [values.length]): Plain => ({
  data: Uint8Array.from(values),
  shape,
  dtype: 'bool',
});

forEachVariant('empty rows and masked places', (engine) => {
  describe('semantics 5: a row that may attend to nothing gives zeros', () => {
    const none = (value: number, of: number) => Array(of).fill(value) as number[];
    const ways: [string, OracleOptions][] = [
      ['bool false', { mask: bools(none(0, 9)) }],
      ['float −∞', { mask: floats(none(-Infinity, 9)) }],
      ['attentionMask', { attentionMask: bools(none(0, 9), [1, 9]) }],
      ['kvLengths 0', { kvLengths: [0] }],
      ['causal far to the left', { causal: true, queryOffset: -50 }],
      [
        'a short mask and the rest switched off',
        { mask: bools([1, 1]), attentionMask: bools([0, 0, 1, 1, 1, 1, 1, 1, 1], [1, 9]) },
      ],
      ['a mask that leaves what causal forbids', { causal: true, mask: bools([0, 0, 0, 0, 0, 0, 0, 0, 1]) }],
    ];
    test.each(ways)('%s', (_, options) => {
      const inputs: [Plain, Plain, Plain] = [
        random.tensor([2, 5, 8]),
        random.tensor([2, 9, 8]),
        random.tensor([2, 9, 8]),
      ];
      const got = engine().scaledDotProductAttention(...inputs, {
        ...(options as object),
        weights: true,
        logSumExp: true,
      });
      expect(got.output.data.every((x) => x === 0)).toBe(true);
      expect(got.weights.data.every((x) => x === 0)).toBe(true);
      expect(got.logSumExp.data.every((x) => x === -Infinity)).toBe(true);
      expectEverything(engine(), inputs, options as { mask?: Plain });
    });
    test('empty rows among others, on any side of a tile', () => {
      for (const Sq of [1, 4, 7, 8, 16, 33]) {
        const mask = bools(
          Array.from({ length: Sq * 70 }, (_, n) => (Math.floor(n / 70) % 3 === 0 ? 0 : Number(random.chance(0.5)))),
          [Sq, 70],
        );
        expectEverything(engine(), [random.tensor([Sq, 16]), random.tensor([70, 16]), random.tensor([70, 16])], {
          mask,
        });
      }
    });

    test.each([-1e9, lowest])('a finite %f never masks: a row of nothing else is the mean', (value) => {
      // Scores of 0: every precision gives the mean.
      const q = floats([0, 0], [1, 2]);
      const v = floats([1, 2, 3, 6], [4, 1]);
      const got = engine().scaledDotProductAttention(q, random.tensor([4, 2]), v, {
        mask: floats(none(value, 4)),
        weights: true,
        logSumExp: true,
      });
      expect(Array.from(got.weights.data)).toEqual([0.25, 0.25, 0.25, 0.25]);
      expect(got.output.data[0]).toBeCloseTo(3, 5);
      expect(Math.abs((got.logSumExp.data[0] as number) / value - 1)).toBeLessThan(1e-6);
    });
    test.each([-1e9, lowest])('a finite %f beside −∞: only −∞ is masked', (value) => {
      const mask = floats([-Infinity, value, -Infinity, value]);
      const got = engine().scaledDotProductAttention(
        floats([0], [1, 1]),
        random.tensor([4, 1]),
        floats([100, 1, 100, 3], [4, 1]),
        { mask, weights: true },
      );
      expect(Array.from(got.weights.data)).toEqual([0, 0.5, 0, 0.5]);
      expect(got.output.data[0]).toBeCloseTo(2, 5);
    });
    test.each([-1e9, lowest])('a finite %f beside 0 weighs nothing', (value) => {
      const got = engine().scaledDotProductAttention(
        floats([1], [1, 1]),
        floats([1, 1, 1], [3, 1]),
        floats([1, 50, 3], [3, 1]),
        {
          mask: floats([0, value, 0]),
          weights: true,
        },
      );
      expect(Array.from(got.weights.data)).toEqual([0.5, 0, 0.5]);
    });
    test.each([-1e4, -1e30, -3e38])('a huge negative score of %f is not a masked one', (score) => {
      const [q, k] = [floats([1], [1, 1]), floats([score, score, 0, score], [4, 1])];
      const got = engine().scaledDotProductAttention(q, k, floats([1, 3, 100, 5], [4, 1]), {
        mask: bools([1, 1, 0, 1]),
        weights: true,
        logSumExp: true,
      });
      const third = Math.fround(1 / 3);
      for (const [i, p] of [third, third, 0, third].entries()) expect(got.weights.data[i]).toBeCloseTo(p, 6);
      expect(got.output.data[0]).toBeCloseTo(3, 5);
      expect(Math.abs((got.logSumExp.data[0] as number) / score - 1)).toBeLessThan(1e-3);
    });
    test('a score of −∞ beside others weighs nothing', () => {
      const [q, k] = [floats([1], [1, 1]), floats([-Infinity, 0, -Infinity, 0], [4, 1])];
      expectAttention(engine(), [q, k, floats([9, 1, 9, 3], [4, 1])], {}, { weights: true, logSumExp: true });
    });
    test('a single attended key takes everything, however low its score', () => {
      for (const j of [0, 3, 40]) {
        const mask = bools(Array.from({ length: 41 }, (_, n) => Number(n === j)));
        const v = random.tensor([41, 3]);
        const got = engine().scaledDotProductAttention(floats([1], [1, 1]), floats(none(-2e38, 41), [41, 1]), v, {
          mask,
        });
        expect(Array.from(got.output.data)).toEqual(Array.from(v.data.subarray(j * 3, j * 3 + 3)));
      }
    });
  });

  describe('semantics 6: masked positions are never read into the result', () => {
    const [Sq, Skv, D] = [5, 37, 16];
    const hidden = (j: number) => j % 4 === 1 || j >= 30;
    const row = (value: (hidden: boolean) => number) => Array.from({ length: Skv }, (_, j) => value(hidden(j)));
    const kinds: [string, OracleOptions][] = [
      ['bool', { mask: bools(row((h) => (h ? 0 : 1))) }],
      ['float', { mask: floats(row((h) => (h ? -Infinity : 0.5))) }],
      [
        'attentionMask',
        {
          attentionMask: bools(
            row((h) => (h ? 0 : 1)),
            [1, Skv],
          ),
        },
      ],
      ['kvLengths', { kvLengths: [30], mask: bools(row((h) => (h ? 0 : 1))) }],
      ['a short mask', { mask: bools(row((h) => (h ? 0 : 1)).slice(0, 30)) }],
    ];
    for (const poison of [NaN, Infinity, -Infinity])
      test.each(kinds)(`${poison} in masked K and V: %s`, (_, options) => {
        const inputs: [Plain, Plain, Plain] = [
          random.tensor([Sq, D]),
          random.tensor([Skv, D]),
          random.tensor([Skv, D]),
        ];
        for (const tensor of inputs.slice(1))
          for (let j = 0; j < Skv; j++) if (hidden(j)) tensor.data.fill(poison as never, j * D, (j + 1) * D);
        expectEverything(engine(), inputs, options as { mask?: Plain });
      });
    test('NaN in the future of causal attention', () => {
      const inputs: [Plain, Plain, Plain] = [random.tensor([20, D]), random.tensor([Skv, D]), random.tensor([Skv, D])];
      for (const tensor of inputs.slice(1)) tensor.data.fill(NaN as never, 20 * D);
      expectEverything(engine(), inputs, { causal: true });
    });
    test('NaN at an attended key reaches its queries and no other', () => {
      for (const which of [1, 2] as const) {
        const inputs: [Plain, Plain, Plain] = [random.tensor([9, D]), random.tensor([9, D]), random.tensor([9, D])];
        inputs[which].data.fill(NaN as never, 4 * D, 5 * D);
        const { data } = engine().scaledDotProductAttention(...inputs, { causal: true }).output;
        for (let i = 0; i < 9; i++)
          expect(Array.from(data.subarray(i * D, (i + 1) * D)).every(Number.isNaN)).toBe(i >= 4);
        expectAttention(engine(), inputs, { causal: true });
      }
    });
    test('NaN in a query spoils that row alone', () => {
      const inputs: [Plain, Plain, Plain] = [random.tensor([9, D]), random.tensor([9, D]), random.tensor([9, D])];
      inputs[0].data[3 * D] = NaN;
      expectAttention(engine(), inputs, {}, { logSumExp: true });
    });
    test('NaN in a float mask spoils that row alone', () => {
      const mask = floats(
        Array.from({ length: 81 }, (_, n) => (n === 31 ? NaN : 0)),
        [9, 9],
      );
      expectAttention(
        engine(),
        [random.tensor([9, D]), random.tensor([9, D]), random.tensor([9, D])],
        { mask },
        { logSumExp: true },
      );
    });
  });
});
