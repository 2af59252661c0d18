import { expect, test } from 'vitest';
import { median } from './median';

test('the one in the middle, or the mean of two', () => {
  expect(median([5, 1, 9])).toBe(5);
  expect(median([10, 2, 9, 1])).toBe(5.5);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});

test('leaves its values in order', () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});
