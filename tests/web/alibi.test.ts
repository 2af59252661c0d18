import { describe, expect, test } from 'vitest';
import { expectClose, U } from './compare.ts';
import { Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

/** The authors' published recipe: a geometric sequence from 2^(−2^−(log2 n − 3)) for powers of two; else that of the next lower one and every other slope of the next higher one. */
function recipe(n: number): number[] {
  if (Number.isInteger(Math.log2(n))) {
    const start = 2 ** -(2 ** -(Math.log2(n) - 3));
    return Array.from({ length: n }, (_, i) => start * start ** i);
  }
  const lower = 2 ** Math.floor(Math.log2(n));
  const others = recipe(2 * lower).filter((_, i) => i % 2 === 0);
  return [...recipe(lower), ...others.slice(0, n - lower)];
}

forEachVariant(`alibi, seed ${seed}`, (engine) => {
  describe('alibiSlopes', () => {
    const halves = (n: number, step: number) => Array.from({ length: n }, (_, i) => 2 ** (-step * (i + 1)));
    test('8 heads: 1/2, 1/4, … 1/256, as in the paper', () =>
      expect(Array.from(engine().alibiSlopes(8).data)).toEqual(halves(8, 1)));
    test('16 heads: the same with geometric means between, as in the paper', () =>
      expectClose(engine().alibiSlopes(16), { data: halves(16, 0.5), shape: [16] }, (i) => U * 2 ** (-(i + 1) / 2)));
    test.each([1, 2, 3, 4, 5, 6, 12, 20, 31, 32, 33, 64, 71, 128])('%i heads', (heads) => {
      const want = recipe(heads);
      const got = engine().alibiSlopes(heads);
      // In double, rounded once.
      expectClose(got, { data: want, shape: [heads] }, (i) => 1.001 * U * (want[i] as number));
      expect(got.dims).toEqual([heads]);
    });
  });

  test.each([1, 2, 3, 6, 8])('alibi: true is alibiSlopes for %i heads', (heads) => {
    const [q, k, v] = [
      random.tensor([1, heads, 9, 4]),
      random.tensor([1, heads, 7, 4]),
      random.tensor([1, heads, 7, 4]),
    ];
    const of = (options: object) => engine().scaledDotProductAttention(q, k, v, { ...options, weights: 'biased' });
    for (const more of [{}, { causal: true }, { queryOffset: -3 }, { causal: 'lower-right' }]) {
      const [plain, given] = [of({ ...more, alibi: true }), of({ ...more, alibi: engine().alibiSlopes(heads) })];
      expectClose(plain.weights, given.weights, 0);
      expectClose(plain.output, given.output, 0);
    }
  });
  test('slopes go by query heads where keys are shared', () => {
    const [q, k] = [random.tensor([1, 6, 5, 4]), random.tensor([1, 2, 5, 4])];
    const { weights } = engine().scaledDotProductAttention(q, k, k, { alibi: true, scale: 0, weights: 'biased' });
    const slopes = recipe(6);
    const want = Array.from(weights.data, (_, n) => {
      const [h, i, j] = [Math.floor(n / 25), Math.floor(n / 5) % 5, n % 5];
      return -(slopes[h] as number) * Math.abs(i - j);
    });
    expectClose(weights, { data: want, shape: [1, 6, 5, 5] }, (n) => 2 * U * Math.abs(want[n] as number));
  });
  test('alibi: false is none', () => {
    const x = random.tensor([2, 5, 4]);
    const plain = engine().scaledDotProductAttention(x, x, x).output;
    expectClose(engine().scaledDotProductAttention(x, x, x, { alibi: false }).output, plain, 0);
  });
});
