import { expect, test } from 'vitest';
import { noMask } from '../engine/mask';
import type { HeadData } from '../engine/protocol';
import { columnOf, entropyOf, rowOf, scoreOf, weightOf } from './weights';

/** Three tokens, two dimensions; the sums are those of all keys. */
function head(changes: Partial<HeadData> = {}): HeadData {
  const query = Float32Array.of(1, 0, 0, 1, 1, 1);
  const key = Float32Array.of(2, 0, 0, 3, 1, -1);
  const sum = (q: number) => Math.log([0, 1, 2].reduce((all, k) => all + Math.exp(scores[q][k]), 0));
  const logSumExp = Float32Array.from([0, 1, 2], sum);
  const given = { query, key, logSumExp, scale: 0.5, size: 3, dims: 2, keyBias: null, range: [0, 3] as const };
  return { ...given, mask: noMask, isCausal: false, ...changes } as HeadData;
}
const scores = [
  [1, 0, 0.5],
  [0, 1.5, -0.5],
  [1, 1.5, 0],
];

test('a row is the softmax of its scores and a column holds the same weights', () => {
  const one = head();
  scores.forEach((row, q) => {
    const sum = row.reduce((all, score) => all + Math.exp(score), 0);
    row.forEach((score, k) => {
      expect(scoreOf(one, q, k)).toBeCloseTo(score, 6);
      expect(rowOf(one, q)[k]).toBeCloseTo(Math.exp(score) / sum, 6);
      expect(columnOf(one, k)[q]).toBe(rowOf(one, q)[k]);
    });
  });
});

test('what is masked, later, or not shown weighs nothing', () => {
  expect(weightOf(head({ isCausal: true }), 0, 1)).toBe(0);
  expect(weightOf(head({ mask: { ...noMask, window: 0 } }), 0, 1)).toBe(0);
  expect([...rowOf(head({ range: [1, 2] }), 1)].map((weight) => weight > 0)).toEqual([false, true, false]);
});

test('a row that may attend to nothing is all zeros', () => {
  const logSumExp = new Float32Array(3).fill(Number.NEGATIVE_INFINITY);
  expect([...rowOf(head({ logSumExp }), 0)]).toEqual([0, 0, 0]);
});

test('a bias of the keys is part of the exponent', () => {
  const plain = weightOf(head(), 0, 1);
  expect(weightOf(head({ keyBias: Float32Array.of(0, Math.log(2), 0) }), 0, 1)).toBeCloseTo(2 * plain, 6);
});

test('an even row of n has log2 n bits', () => {
  expect(entropyOf(new Float32Array(8).fill(1 / 8))).toBeCloseTo(3, 12);
  expect(entropyOf(Float32Array.of(0, 1))).toBeCloseTo(0, 12);
});
