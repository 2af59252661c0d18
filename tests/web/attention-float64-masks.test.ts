import { expect, test } from 'vitest';
import { Random } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(31);
const [q, k] = [random.tensor([2, 8]), random.tensor([4, 8])];
/** As float32 these would be infinities. */
const finite = [-Number.MAX_VALUE, -1e300, -3.5e38, -1e39];

/** Semantics 5: decided on the mask that was given; a finite value never masks. */
forEachVariant('float masks beyond float32', (engine) => {
  const weights = (values: number[], stage: 'biased' | 'probabilities') => {
    const mask = { data: Float64Array.from(values), shape: [4] };
    return Array.from(engine().scaledDotProductAttention(q, k, k, { mask, weights: stage }).weights.data);
  };

  test('a row of nothing else attends to all', () => {
    const biased = weights(finite, 'biased');
    expect(biased.every(Number.isFinite)).toBe(true);
    expect(weights(finite, 'probabilities')).toEqual(Array(8).fill(0.25));
  });
  test('-Infinity masks beside them', () => {
    expect(weights([-Infinity, -1e300, -Infinity, -1e300], 'probabilities')).toEqual([0, 0.5, 0, 0.5, 0, 0.5, 0, 0.5]);
  });
  test('a huge value takes the row, and is no NaN', () => {
    expect(weights([0, 1e300, 0, -1e300], 'probabilities')).toEqual([0, 1, 0, 0, 0, 1, 0, 0]);
  });
});
