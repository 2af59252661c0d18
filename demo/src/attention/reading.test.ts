import { expect, test } from 'vitest';
import { type Reading, viewOf, withoutSeparators } from './reading';

const reading: Reading = {
  text: 'a b',
  tokens: ['[CLS]', 'a', 'b', '[SEP]'],
  heads: 2,
  layers: [Float32Array.from({ length: 32 }, (_, i) => i)],
  cut: null,
  milliseconds: 1,
  variant: 'simd',
};

test('a layer is heads × queries × keys', () => {
  const { matrices } = viewOf(reading);
  expect(matrices).toHaveLength(1);
  expect([...matrices[0][1]]).toEqual(Array.from({ length: 16 }, (_, i) => 16 + i));
});

test('without separators each row is divided by what is left of it', () => {
  const view = withoutSeparators(viewOf(reading));
  expect(view.tokens).toEqual(['a', 'b']);
  expect(view.positions).toEqual([1, 2]);
  expect([...view.matrices[0][0]]).toEqual([5 / 11, 6 / 11, 9 / 19, 10 / 19].map(Math.fround));
});

test('a row that saw only separators stays empty', () => {
  const layers = [new Float32Array(32)];
  expect([...withoutSeparators(viewOf({ ...reading, layers })).matrices[0][0]]).toEqual([0, 0, 0, 0]);
});
