import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exactly, type Inputs } from './against-oracle.ts';
import { callOf } from './arbitrary/call.ts';
import { recipes } from './arbitrary/recipe.ts';
import { expectClose, largest, scoreTolerance } from './compare.ts';
import { attention, type OracleResult } from './oracle/attention.ts';
import { valuesOf } from './oracle/values.ts';
import { type Plain, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

/** Semantics 12. */
forEachVariant('accuracy', (engine) => {
  test.each([32, 48, 64, 96, 128, 256])('heads of size %i', (D) => {
    const random = new Random(4);
    for (const [top, causal] of [
      [16, false],
      [16, true],
      [50, false],
      [50, true],
    ] as const) {
      const [q, k, v] = [random.tensor([2, 50, D]), random.tensor([2, 160, D]), random.tensor([2, 160, D])];
      const factor = top / largest(attention(q, k, v).scores.data);
      q.data.set(q.data.map((x) => x * factor));
      const exact = attention(q, k, v, { causal });
      const promised = 2e-6 * (1 + largest(v.data));
      const got = engine().scaledDotProductAttention(q, k, v, { causal });
      expectClose(got.output, exact.output, promised);
    }
  });

  test(`scores far beyond 50 err at most twice what plain float32 does, seed ${seed}`, () => {
    // Which of two roundings is luckier in one call is chance, and where two loud keys nearly tie it is luck on a large scale. So each
    // error counts as its share of a bound, which holds in each call, and the factor 2 is asked of the sums.
    let [ours, plains] = [0, 0];
    fc.sample(recipes, { seed, numRuns: 300 }).forEach((recipe, n) => {
      const { inputs, options, sizes } = callOf(recipe);
      const [softly, k, v] = inputs;
      const louder = [4, 30, 1000][n % 3] as number;
      const q: Plain = { data: Float32Array.from(valuesOf(softly), (x) => x * louder), shape: softly.shape };
      const loud: Inputs = [q, k, v];
      const exact = exactly(loud, options);
      const { rule: _, ...given } = options;
      const got = engine().scaledDotProductAttention(q, k, v, given as object).output;
      const bound = boundOf(exact, sizes.D, valuesOf(v));
      try {
        expectClose(got, exact.output, bound);
      } catch (cause) {
        throw new Error(`call ${n}, queries ${louder} times as loud, ${JSON.stringify(recipe)}: ${cause}`, { cause });
      }
      ours += errorOf(got.data, exact.output.data) / bound;
      plains += errorOf(exactly(loud, options, Math.fround).output.data, exact.output.data) / bound;
    });
    expect(ours / plains).toBeLessThanOrEqual(2);
  });

  test('probabilities of a long row add up to 1', () => {
    const random = new Random(5);
    const [q, k] = [random.tensor([3, 64]), random.tensor([4096, 64])];
    const { weights } = engine().scaledDotProductAttention(q, k, random.tensor([4096, 4]), { weights: true });
    for (let i = 0; i < 3; i++) {
      const sum = weights.data.subarray(i * 4096, (i + 1) * 4096).reduce((total, p) => total + p, 0);
      expect(Math.abs(sum - 1)).toBeLessThan(2e-6);
    }
  });

  test('keys of one large common score cancel in the softmax', () => {
    const q: Plain = { data: Float32Array.of(1, 0), shape: [1, 2] };
    const k: Plain = { data: Float32Array.of(1e4, 0, 1e4, 0, 1e4, 0), shape: [3, 2] };
    const got = engine().scaledDotProductAttention(q, k, { data: Float32Array.of(1, 2, 6), shape: [3, 1] });
    expect(got.output.data[0]).toBeCloseTo(3, 5);
  });
});

const errorOf = (got: ArrayLike<number>, want: Float64Array): number =>
  want.reduce((most, x, i) => Math.max(most, Math.abs(x - (got[i] as number))), 0);

/** With every score off by at most δ, each probability is off by a factor within e^±2δ, and the output by that share of 2·max|V|. */
function boundOf(exact: OracleResult, D: number, v: Float64Array): number {
  const error = scoreTolerance(D, exact, 'biased');
  let delta = 0;
  exact.biased.data.forEach((score, pair) => {
    if (score !== -Infinity) delta = Math.max(delta, error(pair));
  });
  return 2e-6 * (1 + largest(v)) + 2 * largest(v) * Math.min(1, Math.expm1(2 * delta));
}
