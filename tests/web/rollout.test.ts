import { createAttention } from 'attention-wasm';
import { expect, test } from 'vitest';
import { expectClose, U } from './compare.ts';
import { attentionRollout } from './oracle/rollout.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

/** Rows of positive numbers that sum to 1, as probabilities do. */
function probabilities(...shape: number[]): Floats {
  const S = shape.at(-1) as number;
  const x = random.tensor(shape, 2);
  x.data.set(x.data.map(Math.exp));
  for (let start = 0; start < x.data.length; start += S) {
    const row = x.data.subarray(start, start + S);
    const sum = row.reduce((a, b) => a + b, 0);
    row.set(row.map((value) => value / sum));
  }
  return x;
}

type Options = { headFusion?: 'mean' | 'max' | 'min'; residual?: boolean };

forEachVariant(`attentionRollout, seed ${seed}`, (engine, variant) => {
  const check = (layers: Floats[], options?: Options): void => {
    const exact = attentionRollout(layers, options);
    const [shape, S] = [(layers[0] as Floats).shape, (layers[0] as Floats).shape.at(-1) as number];
    const H = shape.at(-3) as number;
    // Everything is positive, so nothing cancels: of one layer S terms of the product, H of the fusion, S of the row's sum, and a few.
    const relative = layers.length * (2 * S + H + 8) * U;
    expectClose(engine().attentionRollout(layers, options), exact, (n) => relative * (exact.data[n] as number) + 1e-38);
  };
  const layers = (count: number, ...shape: number[]) => Array.from({ length: count }, () => probabilities(...shape));

  const options = (['mean', 'max', 'min'] as const).flatMap((headFusion) =>
    [true, false].map((residual) => ({ headFusion, residual })),
  );
  test.each(options)('%o', (given) => {
    for (const S of [1, 2, 3, 5, 8, 17, 33, 64]) check(layers(3, 4, S, S), given);
    check(layers(2, 2, 3, 9, 9), given);
    check(layers(1, 1, 6, 6), given);
  });
  test('the mean of the heads and the residual by default', () => {
    check(layers(3, 4, 7, 7));
    const given = layers(3, 4, 7, 7);
    const byName = engine().attentionRollout(given, { headFusion: 'mean', residual: true });
    expectClose(engine().attentionRollout(given), byName, 0);
  });
  test('many layers', () => check(layers(24, 3, 20, 20)));
  test('the first layer acts first', () => {
    // Layer 1 sends everything to position 0, layer 2 to position 1: what reaches the end came through 1, from 0.
    const to = (column: number): Floats => ({
      data: Float32Array.from({ length: 9 }, (_, n) => (n % 3 === column ? 1 : 0)),
      shape: [1, 3, 3],
    });
    const { data } = engine().attentionRollout([to(0), to(1)], { residual: false });
    expect(Array.from(data)).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0]);
  });
  test('a row of zeros: the identity with the residual, zeros without', () => {
    const A = probabilities(2, 4, 4);
    for (const h of [0, 1]) A.data.fill(0, h * 16 + 4, h * 16 + 8);
    check([A]);
    check([A, probabilities(2, 4, 4)], { residual: false });
    expect(Array.from(engine().attentionRollout([A]).data.subarray(4, 8))).toEqual([0, 1, 0, 0]);
    expect(Array.from(engine().attentionRollout([A], { residual: false }).data.subarray(4, 8))).toEqual([0, 0, 0, 0]);
  });
  test.each(options)('NaN in any head spoils its row: %o', (given) => {
    for (const S of [1, 3, 9])
      for (const head of [0, 1, 2]) {
        const bad = probabilities(3, S, S);
        bad.data[(head * S + S - 1) * S] = NaN;
        const spoilt = Array.from(engine().attentionRollout([bad], given).data, Number.isNaN);
        expect(spoilt).toEqual(Array.from({ length: S * S }, (_, n) => n >= (S - 1) * S));
        check([bad], given);
        check([bad, probabilities(3, S, S)], given);
        check([probabilities(3, S, S), bad], given);
      }
  });
  test('rows sum to 1', () => {
    const { data } = engine().attentionRollout(layers(6, 4, 30, 30));
    for (let i = 0; i < 30; i++)
      expect(Math.abs(data.subarray(i * 30, i * 30 + 30).reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-5);
  });
  test('of the weights of calls, as they come', () => {
    const x = random.tensor([2, 3, 8, 4]);
    const { weights } = engine().scaledDotProductAttention(x, x, x, { weights: true, causal: true });
    check([weights, weights]);
  });
  test('of live views, although the call makes memory grow', async () => {
    const own = await createAttention({ variant });
    const S = 1100; // a matrix of 4.8 MB
    const A = own.tensor({ data: new Float32Array(S * S).fill(1 / S), shape: [1, S, S] });
    const view = () => ({ data: A.data, shape: [1, S, S] });
    const { data } = own.attentionRollout([view(), view()], { residual: false });
    expect(data.every((value) => Math.abs(value - 1 / S) < 1e-7)).toBe(true);
    own.dispose();
  });
});
