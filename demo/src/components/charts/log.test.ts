import { expect, test } from 'vitest';
import { apart, decades, logAxis, powersOfTen } from './log';

test('equal ratios are equal steps', () => {
  const axis = logAxis([128, 8192], [10, 70]);
  for (let i = 0; i <= 6; i++) expect(Math.abs(axis(128 * 2 ** i) - (10 + 10 * i))).toBeLessThanOrEqual(1e-9);
});

test('an axis may run upwards', () => {
  const axis = logAxis([1, 100], [200, 0]);
  expect(axis(10)).toBeCloseTo(100, 9);
  expect(axis(100)).toBeCloseTo(0, 9);
});

test.each([
  [[0.3, 250], 0.1, 1000],
  [[1, 10], 1, 10],
  [[5], 1, 10],
  [[10], 10, 100],
])('%j lies within its decades', (values, least, most) => {
  const [from, to] = decades(values);
  expect(from).toBeCloseTo(least, 12);
  expect(to).toBeCloseTo(most, 12);
});

test('has a line at each power of ten', () => {
  expect(powersOfTen([0.1, 1000])).toEqual([0.1, 1, 10, 100, 1000]);
});

test('labels keep their order, their distance and the frame', () => {
  const random = (seed: number) => Math.abs(Math.sin(seed * 99.7)) * 100;
  for (let seed = 1; seed < 200; seed++) {
    const places = [random(seed), random(seed + 0.3), random(seed + 0.6)];
    const moved = apart(places, 14, 100);
    const order = [0, 1, 2].sort((a, b) => places[a] - places[b]);
    for (let i = 1; i < 3; i++) expect(moved[order[i]] - moved[order[i - 1]]).toBeGreaterThanOrEqual(14 - 1e-9);
    expect(Math.max(...moved)).toBeLessThanOrEqual(100);
  }
  expect(apart([10, 50, 90], 14, 100)).toEqual([10, 50, 90]);
});
