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
 * What is promised for outputs, |error| ≤ 2e-6·(1 + max|V|), and what the roundings of the scores move them by. Those alone may break
 * the promise where loud keys nearly tie: a score of 32 to 64 written as a float32 is off by up to u·32 = 1.9e-6 by itself, and
 * p·(1 - p) = 1/4 of the error of each of two such keys moves the output by up to 2·max|V|. (attention-accuracy.test.ts holds calls of
 * up to 50 to the promise as it stands; about one random call in 200 that is driven to 50 breaks it, by up to 1.45 times.)
 *
 * A rounding is off by at most u of what is rounded, with a deviation of u/√3. 3 deviations of the scores' random walks are allowed.
 */
export const outputTolerance = (v: ArrayLike<number>, { outputSwing }: OracleResult) =>
  walking(2e-6 * (1 + largest(v)), outputSwing);

/** Probabilities are the output for V = identity. */
export const probabilityTolerance = ({ probabilitySwing }: OracleResult) => walking(2e-6 * 2, probabilitySwing);

const walking =
  (promised: number, swing: Exact) =>
  (index: number): number =>
    promised + ((3 * U) / Math.sqrt(3)) * (swing.data[index] as number);

/**
 * One score is a sum of D rounded products times the scale. In any order of additions, fused or not, its error is at most
 * (D + 4)·u·|scale|·Σ|q·k|: D for the sum, the rest for the scale, its rounding and a change of base.
 *
 * The softcap passes that on at most unchanged (the slope of c·tanh(s/c) is at most 1). Its division moves s/c by 2 roundings of
 * itself, thus the result by at most 2·u·|result| (x·tanh'(x) ≤ tanh(x)); a tanh good to 4 ulp, the product and a change of base of
 * its own add at most 8 + 2. Nothing is allowed that would scale with c where the score is far below it.
 *
 * What is added is a slope and its product with a distance, each rounded, or a mask, and the sum is rounded twice on the way.
 */
export const scoreTolerance = (D: number, exact: OracleResult, stage: 'scores' | 'softcapped' | 'biased') => {
  const { magnitude, added, scores, softcapped, [stage]: values } = exact;
  const capped = stage !== 'scores' && softcapped !== scores;
  return (pair: number): number => {
    const size = (tensor: Exact) => {
      const value = Math.abs(tensor.data[pair] as number);
      return Number.isFinite(value) ? value : 0;
    };
    const tanh = capped ? 12 * size(softcapped) : 0;
    const sum = stage === 'biased' ? 4 * size(added) : 0;
    return U * ((D + 4) * (magnitude.data[pair] as number) + tanh + sum + 2 * size(values)) + 1e-37;
  };
};

/**
 * logSumExp moves with its scores, the largest of which is off by about 2·√D·u·|scale|·Σ|q·k| (rounding errors add up like a random walk:
 * Higham and Mary 2019), and the sum of exponentials is good to the 2e-6 that the output is. That covers what is added to the
 * scores: of a key that matters it is about as large as the score and the logSumExp together.
 */
export const logSumExpTolerance = (D: number, Skv: number, magnitude: Exact, lse: Exact) => (line: number) => {
  const row = magnitude.data.subarray(line * Skv, (line + 1) * Skv);
  return 2e-6 * (1 + Math.abs(lse.data[line] as number)) + (2 * Math.sqrt(D) + 4) * U * largest(row);
};
