import type { Exact } from './oracle/values.ts';

/** The unit roundoff of float32. */
export const U = 2 ** -24;

interface Got {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}
type Tolerance = number | ((index: number) => number);

/** Throws at the first element that is not within `tolerance`. A NaN passes only where a NaN is due, an infinity only where that infinity is. */
export function expectClose(got: Got, want: { data: ArrayLike<number>; shape: readonly number[] }, tolerance: Tolerance): void {
  if (String(got.shape) !== String(want.shape) || got.data.length !== want.data.length)
    throw new Error(`shape [${got.shape}] with ${got.data.length} elements, wanted [${want.shape}] with ${want.data.length}`);
  for (let i = 0; i < want.data.length; i++) {
    const [g, w] = [got.data[i] as number, want.data[i] as number];
    const limit = typeof tolerance === 'number' ? tolerance : tolerance(i);
    if (Object.is(g, w) || g === w) continue;
    if (!(Number.isFinite(w) && Math.abs(g - w) <= limit))
      throw new Error(`element ${i} of [${want.shape}] is ${g}, wanted ${w} ± ${limit.toExponential(2)} (off by ${Math.abs(g - w).toExponential(2)})`);
  }
}

export const largest = (values: ArrayLike<number>): number =>
  Array.prototype.reduce.call(values, (most, x) => (Number.isFinite(x) ? Math.max(most as number, Math.abs(x as number)) : most), 0) as number;

/** |error| ≤ 2e-6·(1 + max|V|): the accuracy promised for outputs where no score exceeds 50. */
export const outputTolerance = (v: ArrayLike<number>): number => 2e-6 * (1 + largest(v));

/** Probabilities are the output for V = identity, whose largest element is 1. */
export const probabilityTolerance = 2e-6 * (1 + 1);

/**
 * One score is a sum of D rounded products times the scale. In any order of additions, fused or not, its error is at most
 * (D + 4)·u·|scale|·Σ|q·k|: D for the sum, the rest for the scale, its rounding and a change of base. Adding a mask rounds once more.
 */
export const scoreTolerance = (D: number, magnitude: Exact, biased: Exact) => (index: number) => {
  const value = biased.data[index] as number;
  return (D + 4) * U * (magnitude.data[index] as number) + (Number.isFinite(value) ? 2 * U * Math.abs(value) : 0) + 1e-37;
};

/**
 * logSumExp moves with its scores, the largest of which is off by about 2·√D·u·|scale|·Σ|q·k| (rounding errors add up like a random walk:
 * Higham and Mary 2019), and the sum of exponentials is good to the 2e-6 that the output is.
 */
export const logSumExpTolerance = (D: number, Skv: number, magnitude: Exact, lse: Exact) => (line: number) => {
  const row = magnitude.data.subarray(line * Skv, (line + 1) * Skv);
  return 2e-6 * (1 + Math.abs(lse.data[line] as number)) + (2 * Math.sqrt(D) + 4) * U * largest(row);
};
