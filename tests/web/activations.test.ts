import { describe, expect, test } from 'vitest';
import { expectClose, largest, U } from './compare.ts';
import * as oracle from './oracle/layers.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
const of = (...values: number[]): Floats => ({ data: Float32Array.from(values), shape: [values.length] });
type Of<T> = (x: number, y: number) => T;

// Where e^(−x) overflows float32 the result is below the smallest normal number times |x|.
const vanishing = 128 * 2 ** -126;
// e^(−x) is 2^(−x·log₂e): rounding that product moves it by |x|·u of itself, the rest (exponential, sum, quotient) by a few roundings.
const relative: Of<number> = (x, y) => (Math.abs(x) + 16) * U * Math.abs(y) + vanishing;
// The factor in [0,1] is good to a few roundings of 1, times |x|.
const absolute: Of<number> = (x) => 8 * U * (1 + Math.abs(x));

forEachVariant(`activations, seed ${seed}`, (engine) => {
  const functions: [string, (x: Floats) => { data: Float32Array; shape: number[] }, Of<number>, Of<number>][] = [
    ['silu', (x) => engine().silu(x), oracle.silu, relative],
    ['relu', (x) => engine().relu(x), oracle.relu, () => 0],
    ['gelu tanh', (x) => engine().gelu(x, { approximate: 'tanh' }), oracle.geluTanh, absolute],
    ['sigmoid', (x) => engine().sigmoid(x), oracle.sigmoid, relative],
    ['softplus', (x) => engine().softplus(x), oracle.softplus, relative],
    ['tanh', (x) => engine().tanh(x), Math.tanh, (_, y) => 4 * U * (U + Math.abs(y)) + 1e-40],
  ];
  describe.each(functions)('%s', (name, call, exactly, tolerance) => {
    const check = (x: Floats): void => {
      const want = oracle.map(x, (value) => exactly(value, 0));
      expectClose(call(x), want, (i) => tolerance(x.data[i] as number, want.data[i] as number));
    };
    test('a fine sweep', () => {
      check(of(...Array.from({ length: 20001 }, (_, i) => (i - 10000) / 1000)));
      check(of(...Array.from({ length: 4001 }, (_, i) => (i - 2000) / 20)));
    });
    test('every length around a vector, and every shape', () => {
      for (let n = 0; n < 40; n++) check(random.tensor([n], 3));
      check(random.tensor([2, 3, 4, 5]));
      check(random.tensor([]));
    });
    test('small, large and subnormal values', () => {
      const sizes = Array.from({ length: 60 }, (_, n) => 10 ** (n - 37));
      check(of(...sizes, ...sizes.map((x) => -x), 3e38, -3e38, 1e-45, -1e-45));
    });
    test('the ends: ±0, ±∞, NaN', () => {
      // silu and the approximate gelu are a product with what tends to 0: −∞·0, NaN as in torch.
      const limits: Record<string, number[]> = {
        silu: [0, -0, Infinity, NaN, NaN],
        relu: [0, 0, Infinity, 0, NaN],
        'gelu tanh': [0, -0, Infinity, NaN, NaN],
        tanh: [0, -0, 1, -1, NaN],
        sigmoid: [0.5, 0.5, 1, 0, NaN],
        softplus: [Math.fround(Math.LN2), Math.fround(Math.LN2), Infinity, 0, NaN],
      };
      const got = Array.from(call(of(0, -0, Infinity, -Infinity, NaN)).data, (x) => x + 0);
      expect(got).toEqual((limits[name] as number[]).map((x) => x + 0));
    });
    test('NaN stays where it is', () => {
      const x = random.tensor([37]);
      x.data[11] = NaN;
      expect(Array.from(call(x).data, Number.isNaN)).toEqual(Array.from(x.data, Number.isNaN));
    });
  });

  test('the two forms of gelu differ, and none is exact', () => {
    const x = of(-2, -0.5, 1, 2.2);
    const [exact, approximate] = [engine().gelu(x).data, engine().gelu(x, { approximate: 'tanh' }).data];
    expectClose(engine().gelu(x, { approximate: 'none' }), { data: exact, shape: [4] }, 0);
    for (let i = 0; i < 4; i++)
      expect(Math.abs((exact[i] as number) - (approximate[i] as number))).toBeGreaterThan(1e-5);
  });

  describe('feedForward', () => {
    const weights = (E: number, F: number, gated: boolean, biased: boolean) => ({
      up: random.tensor([F, E], E ** -0.5),
      down: random.tensor([E, F], F ** -0.5),
      ...(gated && { gate: random.tensor([F, E], E ** -0.5) }),
      ...(biased && { upBias: random.tensor([F]), downBias: random.tensor([E]) }),
      ...(gated && biased && { gateBias: random.tensor([F]) }),
    });
    const activations = [
      ['relu', oracle.relu],
      ['gelu', oracle.gelu],
      ['gelu_tanh', oracle.geluTanh],
      ['silu', oracle.silu],
    ] as const;
    const cases = activations.flatMap(([name, f]) =>
      [false, true].flatMap((gated) => [false, true].map((biased) => [name, gated, biased, f] as const)),
    );
    test.each(cases)('%s, gate %s, biases %s', (activation, gated, biased, f) => {
      for (const [lead, E, F] of [
        [[1], 3, 5],
        [[9], 16, 64],
        [[3, 11], 40, 100],
      ] as const) {
        const [x, w] = [random.tensor([...lead, E]), weights(E, F, gated, biased)];
        // Both products have weights of variance 1/size: sums of size about 1..10, off by some roundings of that.
        const exact = oracle.feedForward(x, w, f);
        expectClose(engine().feedForward(x, w, { activation }), exact, 2e-6 * (1 + largest(exact.data)));
      }
    });
    test('relu where no activation is named, and any leading axes', () => {
      const [x, w] = [random.tensor([2, 3, 4, 8]), weights(8, 16, false, true)];
      const exact = oracle.feedForward(x, w, oracle.relu);
      expectClose(engine().feedForward(x, w), exact, 2e-6 * (1 + largest(exact.data)));
    });
  });
});
