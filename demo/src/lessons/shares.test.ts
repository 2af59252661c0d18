import { expect, test } from 'vitest';
import { noMask } from '../engine/mask';
import type { HeadData } from '../engine/protocol';
import { laterShare, separatorShares } from './shares';

const [size, dims, valueDims] = [6, 4, 3];
const tokens = ['[CLS]', 'a', 'b', 'c', 'd', '[SEP]'];
const scale = 0.7;
const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 3.7 * i));
const query = numbers(size * dims, 1);
const key = numbers(size * dims, 2);
const value = numbers(size * valueDims, 3).map((x, i) => x * (1 + (i % 5)));

const norm = (j: number) => Math.sqrt([0, 1, 2].reduce((sum, d) => sum + value[j * valueDims + d] ** 2, 0));
const dot = (i: number, j: number) => [0, 1, 2, 3].reduce((sum, d) => sum + query[i * dims + d] * key[j * dims + d], 0);

/** α of a row over the keys it may attend to. */
function alphas(i: number, isAttended: (j: number) => boolean): number[] {
  const powers = tokens.map((_, j) => (isAttended(j) ? Math.exp(scale * dot(i, j)) : 0));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function headOf({ causal = false, biased = false }): HeadData {
  const keyBias = biased ? Float32Array.from(tokens, (_, j) => Math.log(norm(j))) : null;
  const logSumExp = Float32Array.from(tokens, (_, i) =>
    Math.log(
      tokens.reduce((sum, _token, j) => {
        if (causal && j > i) return sum;
        return sum + Math.exp(scale * dot(i, j)) * (biased ? norm(j) : 1);
      }, 0),
    ),
  );
  return {
    layer: 0,
    head: 0,
    serial: 1,
    lens: { kind: 'heads', weighting: biased ? 'value' : 'attention', hideSeparators: false },
    size,
    dims,
    scale,
    query,
    key,
    value,
    keyBias,
    logSumExp,
    range: [0, size],
    mask: { ...noMask, causal },
    isCausal: false,
    root: { rows: [0, size], columns: [0, size], size: [size, size], cells: new Float32Array(size * size) },
  };
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const near = (actual: number | undefined, expected: number) =>
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(1e-6);

test('later tokens get what is right of the diagonal', () => {
  const expected = mean(
    tokens.map((_, i) =>
      alphas(i, () => true)
        .slice(i + 1)
        .reduce((a, b) => a + b, 0),
    ),
  );
  near(laterShare(headOf({})), expected);
  expect(laterShare(headOf({ causal: true }))).toBe(0);
});

test.each([
  { causal: false, biased: false },
  { causal: false, biased: true },
  { causal: true, biased: false },
])('what words give to [CLS] and [SEP], however it is looked at: %o', ({ causal, biased }) => {
  const rows = [1, 2, 3, 4].map((i) => alphas(i, (j) => !causal || j <= i));
  const weight = mean(rows.map((row) => row[0] + row[5]));
  const effect = mean(
    rows.map((row) => {
      const effects = row.map((alpha, j) => alpha * norm(j));
      return (effects[0] + effects[5]) / effects.reduce((a, b) => a + b, 0);
    }),
  );
  const shares = separatorShares(headOf({ causal, biased }), tokens);
  near(shares?.weight, weight);
  near(shares?.effect, effect);
  expect(Math.abs(weight - effect)).toBeGreaterThan(0.01);
});

test('without values, or in a rollout, there is nothing to tell', () => {
  expect(separatorShares({ ...headOf({}), value: null }, tokens)).toBeNull();
  const rollout = { kind: 'rollout', weighting: 'attention', hideSeparators: false } as const;
  expect(separatorShares({ ...headOf({}), lens: rollout }, tokens)).toBeNull();
});
