import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import type { Options } from './against-oracle.ts';
import { type CacheConfig, cacheTypes } from './kv-cache-model.ts';
import { Twin } from './kv-cache-twin.ts';
import * as rules from './oracle/masks.ts';
import type { Exact } from './oracle/values.ts';
import { type Floats, type Plain, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
const one: CacheConfig = { numKvHeads: 1, headDim: 8, valueDim: 8, capacity: 400 };
const poisons = [NaN, Infinity, -Infinity];

const queries = (S: number) => ({ data: new Float32Array(2 * S * 8).fill(1), shape: [2, S, 8] }); // of ones: ±∞ in a key is a score of ±∞
const tokens = (S: number): [k: Floats, v: Floats] => [random.tensor([1, S, 8]), random.tensor([1, S, 8])];
const poisoned = (S: number, poison = NaN): [k: Floats, v: Floats] => {
  const [k, v] = tokens(S);
  for (const { data } of [k, v]) data.fill(poison);
  return [k, v];
};
const isClean = ({ data }: Exact) => data.every(Number.isFinite);
/** Which queries of the first head have NaN in what they gave. */
const spoilt = ({ data, shape: [, S = 0, D = 0] }: Exact) =>
  Array.from({ length: S }, (_, i) => data.subarray(i * D, (i + 1) * D).some(Number.isNaN));
const bits = (shape: number[], of: (n: number) => boolean): Plain => ({
  data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, n) => Number(of(n))),
  shape,
  dtype: 'bool',
});

forEachVariant(`poison in kvCache, seed ${seed}`, (engine) => {
  describe.each(cacheTypes)('%s', (dtype) => {
    const twin = (own: Partial<CacheConfig> = {}) => new Twin(engine(), { ...one, dtype, ...own });

    describe.each(poisons)('%s', (poison) => {
      // 30 tokens, of which 10 … 14 are poison.
      const filled = () => {
        const both = twin();
        both.append(...tokens(10));
        both.append(...poisoned(5, poison));
        both.append(...tokens(15));
        return both;
      };
      const hides: [string, Options][] = [
        ['kvLengths', { kvLengths: [10] }],
        ['attentionMask', { attentionMask: bits([1, 30], (j) => j < 10 || j > 14) }],
        ['bool mask', { mask: bits([30], (j) => j < 10 || j > 14) }],
        [
          'float mask',
          {
            mask: {
              data: Float32Array.from({ length: 30 }, (_, j) => (j < 10 || j > 14 ? 0.5 : -Infinity)),
              shape: [30],
            },
          },
        ],
        ['a short mask', { mask: bits([10], () => true) }],
        ['window', { window: [14, -1] }],
        ['an early offset, causal', { causal: true, queryOffset: 5 }],
        ['a rule', { mask: masks.keyPadding([10]), rule: rules.keyLengths([10]) }],
        ['another rule', { mask: masks.slidingWindow(6, 6), rule: rules.slidingWindow(6, 6) }],
      ];
      test.each(hides)('behind %s it does not leak', (_, options) => {
        const both = filled();
        for (const Sq of [1, 4]) {
          const { output, probabilities } = both.attendOnly(queries(Sq), options);
          expect([isClean(output), isClean(probabilities)]).toEqual([true, true]);
          both.attendOnly(queries(Sq), { ...options, softcap: 3, sinks: random.tensor([2]) });
        }
        both.dispose();
      });
      test('seen it spoils what sees it', () => {
        const both = filled();
        for (const Sq of [1, 6]) expect(spoilt(both.attendOnly(queries(Sq)).output)).toEqual(Array(Sq).fill(true));
        // Of a chunk with poison in the middle, the queries before it are clean.
        const fresh = twin();
        const [k, v] = tokens(9);
        for (const { data } of [k, v]) data.fill(poison, 5 * 8, 6 * 8);
        const { output } = fresh.attend([queries(9), k, v], {}, { weights: true, logSumExp: true });
        expect(spoilt(output)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1].map(Boolean));
        for (const each of [both, fresh]) each.dispose();
      });
      test('truncated away it is gone', () => {
        const both = twin();
        both.append(...tokens(3));
        both.append(...poisoned(140, poison));
        both.truncate(3);
        expect(isClean(both.attendOnly(queries(2)).output)).toBe(true);
        both.append(...tokens(2));
        expect(isClean(both.attendOnly(queries(2)).output)).toBe(true);
        both.dispose();
      });
      test('behind the window it does not leak, and is gone', () => {
        for (const own of [{ window: 6 }, { window: 6, sinkTokens: 1 }, { window: 6, sinkTokens: 2, capacity: 20 }]) {
          const both = twin({ capacity: undefined, ...own } as object);
          both.append(...tokens(2));
          both.append(...poisoned(3, poison));
          for (let n = 0; n < 5; n++) {
            const { output } = both.attend([queries(1), ...tokens(1)], {}, { weights: true });
            expect(spoilt(output)).toEqual([true]); // the window still reaches it
          }
          for (let n = 0; n < 30; n++) {
            const { output, probabilities } = both.attend([queries(1), ...tokens(1)], {}, { weights: true });
            expect([isClean(output), isClean(probabilities)]).toEqual([true, true]);
          }
          both.attendOnly(queries(3));
          both.dispose();
        }
      });
      test('within one chunk each query has its own window', () => {
        const both = twin({ capacity: undefined, window: 3 } as object);
        const [k, v] = tokens(12);
        for (const { data } of [k, v]) data.fill(poison, 4 * 8, 5 * 8);
        const { output } = both.attend([queries(12), k, v], {}, { weights: true, logSumExp: true });
        expect(spoilt(output)).toEqual(Array.from({ length: 12 }, (_, p) => p >= 4 && p < 7));
        both.dispose();
      });
      test('among sinks it stays', () => {
        const both = twin({ capacity: undefined, window: 3, sinkTokens: 2 } as object);
        both.append(...tokens(1));
        both.append(...poisoned(1, poison));
        both.append(...tokens(20));
        expect(spoilt(both.attend([queries(2), ...tokens(2)]).output)).toEqual([true, true]);
        both.dispose();
      });
    });

    test('what memory held before is not read: not beyond the last key, not in pages taken again', () => {
      for (let n = 0; n < 5; n++) {
        const foul = twin();
        foul.append(...poisoned(300));
        foul.dispose();
        const rest = engine().tensor({ data: new Float32Array(20_000).fill(NaN), shape: [20_000] });
        rest.dispose();
        const both = twin();
        for (const count of [1, 14, 1, 1, 15, 97]) {
          const { output } = both.attend([queries(1), ...tokens(count)], {}, { weights: true, logSumExp: true });
          expect(isClean(output)).toBe(true);
        }
        const fork = both.fork();
        fork.append(...poisoned(40));
        both.append(...tokens(1));
        expect(isClean(both.attendOnly(queries(3)).output)).toBe(true);
        fork.truncate(129);
        expect(isClean(fork.attendOnly(queries(3)).output)).toBe(true);
        for (const each of [both, fork]) each.dispose();
      }
    });
    test('one head, one entry: the others stay clean', () => {
      const both = twin({ batch: 2, numKvHeads: 2 });
      const [k, v] = [random.tensor([2, 2, 20, 8]), random.tensor([2, 2, 20, 8])];
      for (const { data } of [k, v]) data.fill(NaN, (20 + 7) * 8, (20 + 8) * 8); // entry 0, head 1, position 7
      const { output } = both.attend([random.tensor([2, 4, 20, 8]), k, v], {}, { weights: true, logSumExp: true });
      const dirty = Array.from(output.data, (x, n) => (Number.isNaN(x) ? Math.floor(n / (20 * 8)) : -1));
      expect([...new Set(dirty)].sort()).toEqual([-1, 2, 3]);
      both.reorder([1, 1]);
      expect(isClean(both.attendOnly(random.tensor([2, 4, 1, 8])).output)).toBe(true);
      both.dispose();
    });
  });
});
