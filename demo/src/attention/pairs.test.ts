import { expect, test } from 'vitest';
import { noMask } from '../engine/mask';
import type { HeadData } from '../engine/protocol';
import { byWeight, rankOf, short, strongestKey, strongestPair, tiny } from './pairs';

const row = Float32Array.of(0.1, 0.4, 0.1, 0.4);

test('ranks are shared by equal weights', () => {
  expect([0, 1, 2, 3].map((key) => rankOf(row, key))).toEqual([3, 1, 3, 1]);
});

test('keys go from the most attended down, equal ones in reading order, within what is shown', () => {
  expect(byWeight(row, [0, 4])).toEqual([1, 3, 0, 2]);
  expect(byWeight(row, [2, 4])).toEqual([3, 2]);
  expect(strongestKey(row, [2, 4])).toBe(3);
});

const headOf = (cells: number[], from: number, to: number) => {
  const side = Math.sqrt(cells.length);
  return { range: [from, to], root: { size: [side, side], cells: Float32Array.from(cells) } } as unknown as HeadData;
};

test('the strongest pair is of two words, where there are two', () => {
  const tokens = ['[CLS]', 'a', 'b', '[SEP]'];
  const cells = [9, 9, 9, 9, 9, 9, 2, 9, 9, 1, 9, 9, 9, 9, 9, 9].map((value) => value / 10);
  expect(strongestPair(tokens, headOf(cells, 0, 4))).toEqual({ query: 1, key: 2 });
  expect(strongestPair(tokens, headOf([0.5, 0.5, 1, 0.1], 0, 2))).toEqual({ query: 1, key: 0 });
  expect(strongestPair(tokens, headOf([], 1, 1))).toBeNull();
});

test('of a pooled picture it is the strongest of its block', () => {
  const tokens = Array.from({ length: 10 }, (_, i) => `t${i}`);
  // Scores are q·k of one dimension: the block of queries 2–5 and keys 6–9 is best at 4 → 9.
  const lines = { dims: 1, scale: 1, size: 10, keyBias: null, mask: noMask, isCausal: false };
  const query = Float32Array.from([0, 0, 1, 1, 2, 1, 0, 0, 0, 0]);
  const key = Float32Array.from([0, 0, 0, 0, 0, 0, 1, 1, 1, 3]);
  const head = { ...headOf([0, 0.3, 0.1, 0], 2, 10), ...lines, query, key, logSumExp: new Float32Array(10).fill(9) };
  expect(strongestPair(tokens, head as HeadData)).toEqual({ query: 4, key: 9 });
});

test('small weights do not read as nothing', () => {
  expect(short(0.001)).toBe('<0.01');
  expect(short(0)).toBe('0.00');
  expect(tiny(0.25)).toBe('.25');
  expect(tiny(-0.25)).toBe('-.25');
});
