import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectEverything, type Inputs, type Options } from './against-oracle.ts';
import * as rules from './oracle/masks.ts';
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
const none = (value: number, of: number) => Array(of).fill(value) as number[];
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Every way to leave all rows of Sq queries over Skv keys without a key. */
const waysOf = (Sq: number, Skv: number): [string, Options][] => {
  const half = Math.floor(Skv / 2);
  const halfOf = (first: boolean) => range(Skv).map((j) => Number(j < half === first));
  const before = { queryOffset: -Sq };
  const after = { queryOffset: Skv + 2 * 70 };
  const never: rules.Rule = () => false;
  return [
    ['bool false', { mask: bools(none(0, Skv)) }],
    ['bool false of one key', { mask: bools([0]) }],
    ['float −∞', { mask: floats(none(-Infinity, Skv)) }],
    ['attentionMask', { attentionMask: bools(none(0, Skv), [1, Skv]) }],
    ['kvLengths 0', { kvLengths: [0] }],
    ['causal before the keys', { causal: true, ...before }],
    ['causal before the keys, per batch', { causal: true, queryOffset: [-Sq] }],
    ["'lower-right' over no valid key", { causal: 'lower-right', kvLengths: [0] }],
    ['a window past the keys', { window: [70, -1], ...after }],
    ['a window before the keys', { window: [-1, 0], ...before }],
    ['a window of one, before the keys', { window: [0, 0], ...before }],
    ['causal and a window past the keys', { causal: true, window: [1, 0], ...after }],
    [
      'a short mask and the rest switched off',
      { mask: bools(none(1, half)), attentionMask: bools(halfOf(false), [1, Skv]) },
    ],
    [
      'a mask that leaves what causal forbids',
      { causal: true, mask: bools([...none(0, Skv - 1), 1]), queryOffset: -1 },
    ],
    ['kvLengths and the rest switched off', { kvLengths: [half], mask: floats(halfOf(false).map((x) => Math.log(x))) }],
    [
      'a window and a mask that leaves nothing of it',
      { window: [Sq, 0], mask: bools([...none(0, Skv - 1), 1]), queryOffset: -1 },
    ],
    ['causal()', { mask: masks.causal(), rule: rules.causal, ...before }],
    ['slidingWindow', { mask: masks.slidingWindow(70, 3), rule: rules.slidingWindow(70, 3), ...after }],
    ['keyPadding by lengths', { mask: masks.keyPadding([0]), rule: rules.keyLengths([0]) }],
    ['keyPadding by a mask', { mask: masks.keyPadding(bools(none(0, Skv), [1, Skv])), rule: never }],
    ['prefixLM', { mask: masks.prefixLM(0), rule: rules.prefixLM(0), ...before }],
    [
      'documents',
      {
        mask: masks.documents(range(Skv + Sq).map((p) => Number(p < Skv))),
        rule: ({ p, j }) => p < Skv === j < Skv,
        queryOffset: Skv,
      },
    ],
    ['documents before their list', { mask: masks.documents(none(7, Skv)), rule: never, ...before }],
    ['dilated', { mask: masks.dilated(35, 2), rule: rules.dilated(35, 2), ...after }],
    ['globalTokens, none', { mask: masks.globalTokens([]), rule: never }],
    ['globalTokens elsewhere', { mask: masks.globalTokens([Skv, Skv + 5]), rule: never, ...before }],
    [
      'bigBird past the keys',
      { mask: masks.bigBird({ blockSize: 8, window: 3, globalBlocks: 0, randomBlocks: 0 }), rule: never, ...after },
    ],
    [
      'bigBird before the keys',
      { mask: masks.bigBird({ blockSize: 8, window: 3, globalBlocks: 1, randomBlocks: 1 }), rule: never, ...before },
    ],
    [
      'blockSparse',
      { mask: masks.blockSparse(bools(none(0, 64), [1, 1, 8, 8]), Math.ceil(Math.max(Sq, Skv) / 8)), rule: never },
    ],
    [
      'blockSparse before its table',
      {
        mask: masks.blockSparse(bools(none(1, 64), [1, 1, 8, 8]), Math.ceil(Math.max(Sq, Skv) / 8)),
        rule: never,
        ...before,
      },
    ],
    ['dense', { mask: masks.dense(bools(none(0, Skv))), rule: never }],
    ['fromFunction', { mask: masks.fromFunction(() => false), rule: never }],
    ['a rule and its opposite', { mask: masks.causal().and(masks.causal().not()), rule: never }],
    ['neither a rule nor its opposite', { mask: masks.causal().or(masks.causal().not()).not(), rule: never }],
    [
      'rules that do not meet',
      { mask: masks.keyPadding([half]).and(masks.dense(bools(halfOf(false)))), rule: never, queryOffset: 3 },
    ],
    ['causal and a rule of the future', { causal: true, mask: masks.causal().not(), rule: rules.not(rules.causal) }],
    [
      'a window and a rule beyond it',
      { window: [2, 2], mask: masks.slidingWindow(2, 2).not(), rule: rules.not(rules.slidingWindow(2, 2)) },
    ],
    [
      'kvLengths and a rule behind them',
      { kvLengths: [half], mask: masks.keyPadding([half]).not(), rule: ({ j }) => j >= half },
    ],
  ];
};

forEachVariant('empty rows', (engine) => {
  describe('semantics 5: a row that may attend to nothing gives zeros, and its logSumExp is −∞ or the sink', () => {
    const sinks = floats([1.5, -Infinity, -40]);
    describe.each([
      [5, 9],
      [70, 201],
    ])('%i queries, %i keys', (Sq, Skv) => {
      test.each(waysOf(Sq, Skv))('%s', (_, options) => {
        const inputs: Inputs = [random.tensor([3, Sq, 8]), random.tensor([3, Skv, 8]), random.tensor([3, Skv, 6])];
        for (const more of [{}, { sinks }, { softcap: 5, alibi: true, sinks }]) {
          const { rule: _, ...given } = { ...options, ...more };
          const got = engine().scaledDotProductAttention(...inputs, {
            ...(given as object),
            weights: true,
            logSumExp: true,
          });
          expect(got.output.data.every((x) => x === 0)).toBe(true);
          expect(got.weights.data.every((x) => x === 0)).toBe(true);
          got.logSumExp.data.forEach((lse, line) => {
            const sink = 'sinks' in more ? (sinks.data[Math.floor(line / Sq)] as number) : -Infinity;
            if (lse !== sink && !(Math.abs(lse - sink) <= 4e-7 * Math.abs(sink)))
              throw new Error(`logSumExp is ${lse}, wanted ${sink}`);
          });
          expectEverything(engine(), inputs, { ...options, ...more });
        }
      });
    });
    test.each([
      {},
      { sinks },
      { causal: true },
      { causal: 'lower-right', alibi: true, window: [1, 1], softcap: 3, sinks },
    ] as Options[])('no keys at all: %o', (options) => {
      const inputs: Inputs = [random.tensor([3, 4, 8]), random.tensor([3, 0, 8]), random.tensor([3, 0, 6])];
      const { output, logSumExp } = expectEverything(engine(), inputs, options);
      expect(output.shape).toEqual([3, 4, 6]);
      expect(logSumExp.data[0]).toBe(options.sinks ? 1.5 : -Infinity);
    });
    test('empty rows among others, on any side of a tile', () => {
      for (const Sq of [1, 4, 7, 8, 16, 33]) {
        const rows = range(Sq * 70).map((n) => (Math.floor(n / 70) % 3 === 0 ? 0 : Number(random.chance(0.5))));
        const inputs: Inputs = [random.tensor([Sq, 16]), random.tensor([70, 16]), random.tensor([70, 16])];
        expectEverything(engine(), inputs, { mask: bools(rows, [Sq, 70]) });
        expectEverything(engine(), inputs, { mask: bools(rows, [Sq, 70]), sinks: floats([0.5]) });
      }
    });
    test('rows that a window leaves empty, before and behind those that see keys', () => {
      for (const queryOffset of [-20, -3, 60, 199]) {
        const inputs: Inputs = [random.tensor([150, 4]), random.tensor([201, 4]), random.tensor([201, 4])];
        const { probabilities } = expectEverything(engine(), inputs, { window: [3, 5], queryOffset });
        const rows = range(150).map((i) => probabilities.data.subarray(i * 201, (i + 1) * 201).some((p) => p > 0));
        expect(rows.includes(true)).toBe(true);
        if (queryOffset !== -3) expect(rows.includes(false)).toBe(true);
      }
    });
  });

  describe('only −∞, bool false and rules mask', () => {
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
});
