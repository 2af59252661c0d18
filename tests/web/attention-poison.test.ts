import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import {
  exactly,
  expectAttention,
  expectEverything,
  type Inputs,
  inOracleWords,
  type Options,
} from './against-oracle.ts';
import { biasOf } from './oracle/attention-rules.ts';
import * as rules from './oracle/masks.ts';
import { type Floats, type Plain, Random } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(8);
const D = 16;
const floats = (values: number[], shape = [values.length]): Plain => ({ data: Float32Array.from(values), shape });
const bools = (values: number[], shape = [values.length]): Plain => ({
  data: Uint8Array.from(values),
  shape,
  dtype: 'bool',
});

/** Every kind of mask, each leaving some keys that no query of Sq over Skv sees. */
const kindsOf = (Sq: number, Skv: number): [string, Options][] => {
  const cut = Math.floor((Skv * 2) / 3);
  const hidden = (j: number) => j % 4 === 1 || j >= cut;
  const row = (of: (hidden: boolean) => number) => Array.from({ length: Skv }, (_, j) => of(hidden(j)));
  const bits = row((h) => (h ? 0 : 1));
  const blockSize = 7;
  const count = Math.ceil(Skv / blockSize);
  const block = (j: number) => Math.floor(j / blockSize) % 2 === 0;
  const bigBird = { blockSize: 4, window: 1, globalBlocks: 1, randomBlocks: 0 };
  return [
    ['bool', { mask: bools(bits) }],
    ['float', { mask: floats(row((h) => (h ? -Infinity : 0.5))) }],
    ['a short mask', { mask: bools(bits.slice(0, cut)) }],
    ['attentionMask', { attentionMask: bools(bits, [1, Skv]) }],
    ['kvLengths', { kvLengths: [cut] }],
    ['kvLengths beside a mask', { kvLengths: [cut], mask: bools(bits) }],
    ['causal', { causal: true }],
    ["'lower-right' with kvLengths", { causal: 'lower-right', kvLengths: [cut] }],
    ['causal with an offset', { causal: true, queryOffset: 2 }],
    ['window', { window: [2, 1], queryOffset: 3 }],
    ['window before the first queries', { window: [2, -1], queryOffset: Math.floor(Skv / 2) }],
    ['window and causal', { window: [1, -1], causal: true, queryOffset: 6 }],
    ['causal()', { mask: masks.causal(), rule: rules.causal, queryOffset: 1 }],
    ['slidingWindow', { mask: masks.slidingWindow(3, 2), rule: rules.slidingWindow(3, 2), queryOffset: 8 }],
    ['keyPadding by lengths', { mask: masks.keyPadding([cut]), rule: rules.keyLengths([cut]) }],
    ['keyPadding by a mask', { mask: masks.keyPadding(bools(bits, [1, Skv])), rule: ({ j }) => !hidden(j) }],
    ['prefixLM', { mask: masks.prefixLM(9), rule: rules.prefixLM(9), queryOffset: -2 }],
    [
      'documents',
      {
        mask: masks.documents(Array.from({ length: Skv }, (_, p) => Number(p >= Sq) * (1 + (p % 3)))),
        rule: ({ j }) => j < Sq,
      },
    ],
    ['dilated', { mask: masks.dilated(3, 40), rule: rules.dilated(3, 40) }],
    [
      'globalTokens',
      { mask: masks.globalTokens([3, Skv - 1]), rule: ({ j }) => j === 3 || j === Skv - 1, queryOffset: Skv },
    ],
    ['bigBird', { mask: masks.bigBird(bigBird), rule: rules.bigBirdFixed(bigBird), queryOffset: 8 }],
    [
      'blockSparse',
      {
        mask: masks.blockSparse(
          bools(
            Array.from({ length: count * count }, (_, n) => Number(block((n % count) * blockSize))),
            [1, 1, count, count],
          ),
          blockSize,
        ),
        rule: ({ j }) => block(j),
      },
    ],
    ['dense', { mask: masks.dense(bools(bits)), rule: ({ j }) => !hidden(j) }],
    ['fromFunction', { mask: masks.fromFunction((_b, _h, _p, j) => !hidden(j)), rule: ({ j }) => !hidden(j) }],
    ['not', { mask: masks.keyPadding([cut]).not(), rule: ({ j }) => j >= cut }],
    ['or', { mask: masks.globalTokens([2]).or(masks.keyPadding([4])), rule: ({ j }) => j < 4, queryOffset: Skv }],
    [
      'and',
      { mask: masks.dense(bools(bits)).and(masks.keyPadding([cut - 3])), rule: ({ j }) => !hidden(j) && j < cut - 3 },
    ],
  ];
};

forEachVariant('poison behind masks', (engine) => {
  const poisons = [NaN, Infinity, -Infinity];

  /** For each key the number of queries that see it. */
  const looksAt = (options: Options, Sq: number, Skv: number): number[] => {
    const { mask } = biasOf({ H: 1, Sq, Skv }, inOracleWords(options));
    return Array.from({ length: Skv }, (_, j) => {
      let looks = 0;
      for (let i = 0; i < Sq; i++) if (mask(0, 0, i, j) !== -Infinity) looks++;
      return looks;
    });
  };
  const inputsOf = (Sq: number, Skv: number): [Floats, Floats, Floats] => [
    random.tensor([Sq, D]),
    random.tensor([Skv, D]),
    random.tensor([Skv, D]),
  ];

  describe('semantics 6: masked positions are never read into the result', () => {
    describe.each([
      [5, 37],
      [70, 201],
    ])('%i queries, %i keys', (Sq, Skv) => {
      test.each(kindsOf(Sq, Skv))('%s', (_, options) => {
        const unseen = looksAt(options, Sq, Skv).flatMap((looks, j) => (looks === 0 ? [j] : []));
        expect(unseen.length).toBeGreaterThan(0);
        expect(unseen.length).toBeLessThan(Skv);
        for (const poison of poisons) {
          const inputs = inputsOf(Sq, Skv);
          for (const { data } of inputs.slice(1) as Floats[])
            for (const j of unseen) data.fill(poison, j * D, (j + 1) * D);
          const exact = expectEverything(engine(), inputs, options);
          for (const values of [exact.output, exact.probabilities])
            expect(values.data.every(Number.isFinite)).toBe(true);
          expectEverything(engine(), inputs, { ...options, softcap: 4, alibi: true, sinks: floats([0.5]) });
        }
      });

      test.each(kindsOf(Sq, Skv))('NaN at one key reaches the queries that see it and no other: %s', (_, options) => {
        const looks = looksAt(options, Sq, Skv);
        // Seen by some, where there is such a key: then poison and clean rows share a block.
        const partly = looks.findIndex((count) => count > 0 && count < Sq);
        const j = partly >= 0 ? partly : looks.findIndex((count) => count > 0);
        for (const which of [1, 2] as const) {
          const inputs = inputsOf(Sq, Skv);
          inputs[which].data.fill(NaN, j * D, (j + 1) * D);
          const { output } = expectAttention(engine(), inputs, options, { weights: true, logSumExp: true });
          expectAttention(engine(), inputs, options);
          const spoilt = Array.from({ length: Sq }, (_, i) => Number.isNaN(output.data[i * D]));
          expect(spoilt.filter(Boolean).length).toBe(looks[j]);
        }
      });
    });

    test('taps before the masks show what is there', () => {
      const [q, k, v] = inputsOf(3, 5);
      k.data.fill(NaN, 4 * D);
      for (const weights of ['scores', 'softcapped'] as const) {
        const got = engine().scaledDotProductAttention(q, k, v, { kvLengths: [4], softcap: 2, weights });
        expect(Array.from(got.weights.data.slice(0, 5), Number.isNaN)).toEqual([false, false, false, false, true]);
        expect(got.output.data.every(Number.isFinite)).toBe(true);
      }
    });
    test('infinite scores are capped like any other', () => {
      const q: Plain = floats([1], [1, 1]);
      const k = floats([Infinity, -Infinity, 0], [3, 1]);
      expectEverything(engine(), [q, k, floats([1, 2, 3], [3, 1])], { softcap: 2 });
    });
    test('NaN in a query spoils that row alone', () => {
      const inputs = [random.tensor([9, D]), random.tensor([9, D]), random.tensor([9, D])] as const;
      inputs[0].data[3 * D] = NaN;
      for (const options of [{}, { softcap: 3 }, { alibi: true, sinks: floats([0]) }] as Options[]) {
        const exact = expectAttention(engine(), inputs, options, { logSumExp: true });
        expect(exact.logSumExp.data.filter(Number.isNaN).length).toBe(1);
      }
    });
    test('NaN in a float mask spoils that row alone', () => {
      const mask = floats(
        Array.from({ length: 81 }, (_, n) => (n === 31 ? NaN : 0)),
        [9, 9],
      );
      const inputs: Inputs = [random.tensor([9, D]), random.tensor([9, D]), random.tensor([9, D])];
      const exact = exactly(inputs, { mask });
      expect(exact.logSumExp.data.filter(Number.isNaN).length).toBe(1);
      expectAttention(engine(), inputs, { mask }, { logSumExp: true }, exact);
    });
    describe.each([
      [5, 37],
      [70, 201],
    ])('scores of nothing but infinities: %i queries, %i keys', (Sq, Skv) => {
      // Semantics 2: 0 at masked pairs, whatever the row is.
      test.each(kindsOf(Sq, Skv))('%s', (_, options) => {
        const inputs = inputsOf(Sq, Skv);
        inputs[1].data.fill(-Infinity);
        inputs[0].data.fill(1);
        for (let i = 1; i < Sq; i += 4) inputs[0].data.fill(-1, i * D, (i + 1) * D); // these rows have scores of +∞
        for (const more of [{}, { alibi: true }, { sinks: floats([0.5]) }] as Options[]) {
          const given = { ...options, ...more };
          const { probabilities, biased } = exactly(inputs, given);
          const masked = Array.from(biased.data.keys()).filter((pair) => probabilities.data[pair] === 0);
          expect(masked.length).toBeGreaterThan(0);
          expect(probabilities.data.some(Number.isNaN)).toBe(true);
          expectEverything(engine(), inputs, given);
        }
      });
    });
    test('a score of −∞ beside others weighs nothing', () => {
      const [q, k] = [floats([1], [1, 1]), floats([-Infinity, 0, -Infinity, 0], [4, 1])];
      const inputs: Inputs = [q, k, floats([9, 1, 9, 3], [4, 1])];
      for (const options of [{}, { sinks: floats([1]) }] as Options[])
        expectAttention(engine(), inputs, options, { weights: true, logSumExp: true });
    });
  });
});
