import { expect, test } from 'vitest';
import { byWeight, exact, plain, rankOf, rowOf, short, strongestPair, tiny } from './pairs';

const row = Float32Array.of(0.25, 0.5, 0.125, 0.125);

test('ranks begin with 1 and equal weights share one', () => {
  expect([0, 1, 2, 3].map((key) => rankOf(row, key))).toEqual([2, 1, 3, 3]);
  expect(byWeight(row)).toEqual([1, 0, 2, 3]);
});

test('a row is the query, a column the key', () => {
  expect([...rowOf(Float32Array.of(1, 2, 3, 4), 2, 1)]).toEqual([3, 4]);
});

test('the strongest pair is one of two different words', () => {
  const tokens = ['[CLS]', 'it', 'animal', '[SEP]'];
  const matrix = Float32Array.of(
    ...[0.9, 0.1, 0.0, 0.0],
    ...[0.2, 0.5, 0.3, 0.0],
    ...[0.1, 0.2, 0.7, 0.0],
    ...[0.0, 0.4, 0.0, 0.6],
  );
  expect(strongestPair(tokens, matrix)).toEqual({ query: 1, key: 2 });
});

test('with one word or none, any cell will do', () => {
  expect(strongestPair(['[CLS]', 'it', '[SEP]'], Float32Array.of(0.1, 0.2, 0.7, 0.5, 0.3, 0.2, 0.8, 0.1, 0.1))).toEqual(
    { query: 2, key: 0 },
  );
  expect(strongestPair([], new Float32Array(0))).toBeNull();
});

test('a small weight is not written as zero', () => {
  expect([0, 0.004, 0.005, 0.688, 1].map(short)).toEqual(['0.00', '<0.01', '0.01', '0.69', '1.00']);
  expect([0, 0.0004, 0.0006].map(plain)).toEqual(['0.000', '<0.001', '0.001']);
  expect([0.688, 1].map(tiny)).toEqual(['.69', '1.00']);
  expect(exact(0.68816)).toBe('0.6882');
});
