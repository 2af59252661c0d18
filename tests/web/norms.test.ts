import { expect, test } from 'vitest';
import { expectClose, U } from './compare.ts';
import { rmsNorm } from './oracle/layers.ts';
import { type Plain, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

forEachVariant(`rmsNorm, seed ${seed}`, (engine) => {
  const check = (x: Plain, weight?: Plain | null, options?: { axis?: number; epsilon?: number }): void => {
    const exact = rmsNorm(x, weight ?? undefined, options);
    const n = x.shape.slice(options?.axis ?? -1).reduce((a, b) => a * b, 1);
    // Nothing cancels: the sum of n squares errs by about √n·u (Higham & Mary 2019), the root halves it, and five roundings follow.
    const relative = (Math.sqrt(n) / 2 + 6) * U;
    expectClose(
      engine().rmsNorm(x, weight, options),
      exact,
      (i) => relative * Math.abs(exact.data[i] as number) + 1e-40,
    );
  };
  test.each([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 384, 1000, 4096])('size %i', (n) => {
    check(random.tensor([6, n]), random.tensor([n]));
    check(random.tensor([2, 3, n]));
    check(random.tensor([n]), random.tensor([n]));
  });
  test('a null weight is none', () => {
    const x = random.tensor([4, 10]);
    expect(engine().rmsNorm(x, null).data).toEqual(engine().rmsNorm(x).data);
  });
  test.each([0, 1, 2, -1, -2, -3])('over axis %i to the end', (axis) => {
    const x = random.tensor([3, 4, 5], 3);
    check(x, random.tensor([3, 4, 5].slice(axis)), { axis });
    check(x, null, { axis });
  });
  test('the mean is not taken out', () =>
    check({ data: random.floats(4 * 64).map((value) => value + 100), shape: [4, 64] }));
  test('epsilon stands inside the root, is 1e-5 by default, and may be 0', () => {
    check(random.tensor([4, 16], 0.01), random.tensor([16]), { epsilon: 0.1 });
    check(random.tensor([4, 16], 0.003));
    check(random.tensor([4, 16], 0.003), null, { epsilon: 0 });
    check(random.tensor([4, 16], 1e-10), null, { epsilon: 1e-12 });
  });
  test.each([1e-15, 1e-4, 1e4, 1e15])('values of size %d', (size) => check(random.tensor([3, 100], size)));
  test('a row of zeros stays zeros', () => {
    const { data } = engine().rmsNorm({ data: new Float32Array(24), shape: [2, 12] }, random.tensor([12]));
    expect(Array.from(data, Math.abs)).toEqual(Array(24).fill(0));
  });
  test('NaN spoils its row alone, a NaN weight its column alone', () => {
    const x = random.tensor([3, 20]);
    x.data[25] = NaN;
    const { data } = engine().rmsNorm(x);
    expect(Array.from(data, Number.isNaN)).toEqual(Array.from({ length: 60 }, (_, n) => n >= 20 && n < 40));
    const weight = random.tensor([20]);
    weight.data[3] = NaN;
    const columns = engine().rmsNorm(random.tensor([2, 20]), weight).data;
    expect(Array.from(columns, Number.isNaN)).toEqual(Array.from({ length: 40 }, (_, n) => n % 20 === 3));
  });
  test('no rows', () => expect(engine().rmsNorm(random.tensor([0, 8])).shape).toEqual([0, 8]));
});
