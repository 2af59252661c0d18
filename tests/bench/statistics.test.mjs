import { expect, test } from 'vitest';
import { format, interleave, summary, timesFaster } from '../../bench/statistics.mjs';

test('functions take turns, after a warm-up that does not count', async () => {
  const order = [];
  const runs = { a: () => order.push('a'), b: async () => order.push('b') };
  const times = await interleave(runs, { rounds: 3, seconds: 0, warmUp: 0 });
  expect(order.join('')).toBe('abababab');
  expect(Object.values(times).map((values) => values.length)).toEqual([3, 3]);
});

test('short functions take more turns than asked for, until the time is over', async () => {
  const times = await interleave({ nothing: () => {} }, { rounds: 1, seconds: 0.01, warmUp: 0 });
  expect(times.nothing.length).toBeGreaterThan(1);
});

test('a summary is the median and the middle half', () => {
  expect(summary([5, 1, 2, 4, 3])).toEqual({ median: 3, low: 2, high: 4 });
  expect(summary([1, 2])).toEqual({ median: 1.5, low: 1.25, high: 1.75 });
});

test('times are compared round by round', () => {
  expect(timesFaster([1, 2, 4], [2, 4, 8])).toEqual({ median: 2, low: 2, high: 2 });
});

test.each([
  [131_363, '131,363'],
  [1234.5, '1,230'],
  [0.012345, '0.0123'],
  [{ median: 2.345, low: 2, high: 3.9999 }, '2.35 (2–4)'],
  ['float16', 'float16'],
])('%o reads %s', (value, text) => {
  expect(format(value)).toBe(text);
});
