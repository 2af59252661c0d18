/** What is rounded on the way to one score. */
interface Score {
  /** Of the products, the sums so far and q times the scale, all times the scale: the sum of their squares. */
  dotSquares: number;
  softcapped: number;
  softcap: number | undefined;
  slope: number;
  mask: number;
  biased: number;
}

/**
 * How far a score is off, in deviations of one rounding relative to what is rounded: roundings add up like a random walk (Higham and
 * Mary 2019), so this is the root of the sum of the squares of all numbers that are rounded.
 */
export function wanderOf({ dotSquares, softcapped, softcap, slope, mask, biased }: Score): number {
  const sums = 2 * (slope ** 2 + mask ** 2 + biased ** 2);
  if (!softcap) return Math.sqrt(dotSquares + sums);
  // Passed on by the slope of the softcap, 1 − tanh²; and a quotient, a tanh good to 4 ulp and a product of its own.
  const passed = 1 - (softcapped / softcap) ** 2;
  return Math.sqrt((passed > 0 ? passed ** 2 * dotSquares : 0) + 16 * softcapped ** 2 + sums);
}

/**
 * How far that moves what a row comes to, which is ∂o/∂s_j = p_j·(v_j − o) for each key and value; 0 where there is no weight, however
 * large the score. Scores of equal keys are off by the same, so what each moves is added, whichever way they go together.
 */
export const movedBy = (probability: number, wander: number): number => (probability > 0 ? probability * wander : 0);
