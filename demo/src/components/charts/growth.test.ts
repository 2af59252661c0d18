import { expect, test } from 'vitest';
import { growthOf } from './growth';

test.each([2, 3, 4, 5, 9])('%i values, each four times the one before', (count) => {
  const values = Array.from({ length: count }, (_, i) => 0.3 * 4 ** i);
  expect(Math.abs(growthOf(values) - 4)).toBeLessThanOrEqual(1e-9);
});

test('only the last four count', () => {
  expect(Math.abs(growthOf([5, 5, 5, 1, 2, 4, 8]) - 2)).toBeLessThanOrEqual(1e-9);
});

test('one late value weighs less than in the last step alone', () => {
  const growth = growthOf([1, 4, 16, 2 * 64]);
  // The best line, found by trying: no other has smaller squares.
  const squares = (factor: number) => {
    const errors = [1, 4, 16, 128].map((value, i) => Math.log(value) - i * Math.log(factor));
    const mean = errors.reduce((a, b) => a + b, 0) / 4;
    return errors.reduce((sum, error) => sum + (error - mean) ** 2, 0);
  };
  expect(squares(growth)).toBeLessThan(squares(growth * 1.001));
  expect(squares(growth)).toBeLessThan(squares(growth / 1.001));
  expect(growth).toBeLessThan(8);
});

test.each([[[]], [[3]]])('%j tells of no growth', (values) => {
  expect(growthOf(values)).toBe(0);
});
