import type { OracleResult } from './oracle/attention.ts';
import type { Exact } from './oracle/values.ts';

/** The unit roundoff of float32. */
export const U = 2 ** -24;

interface Got {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}
type Tolerance = number | ((index: number) => number);

/** Throws at the first element that is not within `tolerance`. A NaN passes only where a NaN is due, an infinity only where that infinity is. */
export function expectClose(
  got: Got,
  want: { data: ArrayLike<number>; shape: readonly number[] },
  tolerance: Tolerance,
): void {
  if (String(got.shape) !== String(want.shape) || got.data.length !== want.data.length)
    throw new Error(
      `shape [${got.shape}] with ${got.data.length} elements, wanted [${want.shape}] with ${want.data.length}`,
    );
  for (let i = 0; i < want.data.length; i++) {
    const [g, w] = [got.data[i] as number, want.data[i] as number];
    const limit = typeof tolerance === 'number' ? tolerance : tolerance(i);
    if (Object.is(g, w) || g === w) continue;
    if (!(Number.isFinite(w) && Math.abs(g - w) <= limit))
      throw new Error(
        `element ${i} of [${want.shape}] is ${g}, wanted ${w} ± ${limit.toExponential(2)} (off by ${Math.abs(g - w).toExponential(2)})`,
      );
  }
}

export const largest = (values: ArrayLike<number>): number =>
  Array.prototype.reduce.call(
    values,
    (most, x) => (Number.isFinite(x) ? Math.max(most as number, Math.abs(x as number)) : most),
    0,
  ) as number;

/**
 * What is promised for outputs: |error| ≤ 2e-6·(1 + max|V|). A softmax turns the absolute error of a score into a relative one of its
 * probability, and a score in float32 is off by its size times 2^-24 and more: from a size of 16 on the promise grows with the scores.
 * (At 50, plain float32 loops over heads of size 128 err by 4e-6·(1 + max|V|).) Probabilities are the output for V = identity.
 */
export const outputTolerance = (v: ArrayLike<number>, exact: OracleResult): number =>
  2e-6 * Math.max(1, loudest(exact) / 16) * (1 + largest(v));

export const probabilityTolerance = (exact: OracleResult): number => outputTolerance([1], exact);

/** The largest finite score that takes part in a softmax. */
const loudest = ({ biased, scores }: OracleResult): number =>
  Math.max(largest(biased.data), largest(scores.data.filter((_, pair) => biased.data[pair] !== -Infinity)));

/**
 * One score is a sum of D rounded products times the scale. In any order of additions, fused or not, its error is at most
 * (D + 4)·u·|scale|·Σ|q·k|: D for the sum, the rest for the scale, its rounding and a change of base. Adding a mask rounds once more.
 */
export const scoreTolerance = (D: number, magnitude: Exact, biased: Exact) => (index: number) => {
  const value = biased.data[index] as number;
  return (
    (D + 4) * U * (magnitude.data[index] as number) + (Number.isFinite(value) ? 2 * U * Math.abs(value) : 0) + 1e-37
  );
};

/**
 * logSumExp moves with its scores, the largest of which is off by about 2·√D·u·|scale|·Σ|q·k| (rounding errors add up like a random walk:
 * Higham and Mary 2019), and the sum of exponentials is good to the 2e-6 that the output is.
 */
export const logSumExpTolerance = (D: number, Skv: number, magnitude: Exact, lse: Exact) => (line: number) => {
  const row = magnitude.data.subarray(line * Skv, (line + 1) * Skv);
  return 2e-6 * (1 + Math.abs(lse.data[line] as number)) + (2 * Math.sqrt(D) + 4) * U * largest(row);
};
