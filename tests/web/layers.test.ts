import { describe, expect, test } from 'vitest';
import { expectClose, largest, U } from './compare.ts';
import * as oracle from './oracle/layers.ts';
import { type Exact, type Numbers, valuesOf } from './oracle/values.ts';
import { type Plain, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

/** A dot product of n terms in float32, in any order, errs by at most n·u·Σ|x·w|, a bias by one rounding more. */
function linearTolerance(x: Numbers, weight: Numbers, bias?: Numbers): (index: number) => number {
  const absolute = (t: Numbers): Numbers => ({ data: valuesOf(t).map(Math.abs), shape: t.shape });
  const size = oracle.linear(absolute(x), absolute(weight), bias && absolute(bias));
  const n = weight.shape[1] as number;
  return (index) => (n + 2) * U * (size.data[index] as number);
}

forEachVariant(`layers, seed ${seed}`, (engine) => {
  describe('softmax', () => {
    // exp of a difference of at most 100 in float32 is good to about 100·u relative, and probabilities end at 1.
    const tolerance = 100 * U;
    test.each([-1, 0, 1, 2, -2, -3] as const)('axis %i', (axis) => {
      const x = random.tensor([5, 7, 33], 10);
      expectClose(engine().softmax(x, { axis }), oracle.softmax(x, axis), tolerance);
    });
    test('the last axis by default, of every length around a vector', () => {
      for (let n = 1; n <= 40; n++) {
        const x = random.tensor([3, n], 5);
        expectClose(engine().softmax(x), oracle.softmax(x), tolerance);
      }
      const long = random.tensor([3000], 5);
      expectClose(engine().softmax(long), oracle.softmax(long), tolerance);
    });
    test('huge logits neither overflow nor vanish', () => {
      const x = { data: Float32Array.of(3e38, 3e38, -3e38, 0, 88, -1e30, -1e30, -1e30), shape: [2, 4] };
      expect(Array.from(engine().softmax(x).data.subarray(0, 4))).toEqual([0.5, 0.5, 0, 0]);
      expect(Array.from(engine().softmax(x).data.subarray(4))).toEqual([1, 0, 0, 0]);
    });
    test('−∞ gets 0, NaN spoils its line alone', () => {
      const x = { data: Float32Array.of(0, -Infinity, 0, 1, NaN, 1), shape: [2, 3] };
      const { data } = engine().softmax(x);
      expect(Array.from(data.subarray(0, 3))).toEqual([0.5, 0, 0.5]);
      expect(Array.from(data.subarray(3)).every(Number.isNaN)).toBe(true);
    });
  });

  describe('layerNorm', () => {
    /** x − mean cancels: its error is a few roundings of the largest |x|, seen through weight/√(variance + ε). */
    function tolerance(x: Numbers, exact: Exact, weight: Numbers | undefined, { axis = -1, epsilon = 1e-5 } = {}) {
      const n = x.shape.slice(axis).reduce((a, b) => a * b, 1);
      const [values, scale] = [valuesOf(x), weight && valuesOf(weight)];
      const centred = oracle.layerNorm(x, undefined, undefined, { axis, epsilon }).data;
      const cancellation = Array.from({ length: values.length / n }, (_, line) => {
        const row = values.subarray(line * n, (line + 1) * n);
        const mean = row.reduce((a, b) => a + b, 0) / n;
        const deviation = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / n + epsilon);
        return largest(row) / deviation + largest(centred.subarray(line * n, (line + 1) * n));
      });
      return (index: number) => {
        const gain = Math.abs(scale?.[index % n] ?? 1);
        return 8 * U * (gain * (cancellation[Math.floor(index / n)] as number) + Math.abs(exact.data[index] as number));
      };
    }
    const check = (x: Plain, weight?: Plain, bias?: Plain, options?: { axis?: number; epsilon?: number }) => {
      const exact = oracle.layerNorm(x, weight, bias, options);
      expectClose(engine().layerNorm(x, weight, bias, options), exact, tolerance(x, exact, weight, options));
    };
    test.each([1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 64, 384, 1000])('size %i', (n) => {
      check(random.tensor([6, n]), random.tensor([n]), random.tensor([n]));
      check(random.tensor([2, 3, n]));
      check(random.tensor([6, n]), random.tensor([n]));
      check(random.tensor([6, n]), undefined, random.tensor([n]));
    });
    test('null weight and bias are none', () => {
      const x = random.tensor([4, 10]);
      expect(Array.from(engine().layerNorm(x, null, null).data)).toEqual(Array.from(engine().layerNorm(x).data));
    });
    test.each([0, 1, 2, -1, -2, -3])('over axis %i to the end', (axis) => {
      const over = [3, 4, 5].slice(axis);
      check(random.tensor([3, 4, 5], 3), random.tensor(over), random.tensor(over), { axis });
    });
    test('epsilon stands inside the root', () =>
      check(random.tensor([4, 16], 0.01), undefined, undefined, { epsilon: 0.1 }));
    test('epsilon may be 0', () => check(random.tensor([4, 16]), undefined, undefined, { epsilon: 0 }));
    test('a row far from zero keeps its variance', () => {
      const x = { data: random.floats(4 * 384).map((value) => value + 1000), shape: [4, 384] };
      check(x);
    });
    test.each([1e3, 1e5, -1e6])('the error does not grow with a mean of %d deviations', (mean) => {
      for (const n of [4, 37, 384, 4096, 32768]) {
        const x = { data: random.floats(2 * n).map((value) => value + mean), shape: [2, n] };
        const exact = oracle.layerNorm(x);
        expectClose(engine().layerNorm(x), exact, 1e-6 * (1 + largest(exact.data)));
      }
    });
    test('a constant row gives the bias', () => {
      const bias = random.tensor([12]);
      const x = { data: new Float32Array(12).fill(7), shape: [1, 12] };
      expect(Array.from(engine().layerNorm(x, random.tensor([12]), bias).data)).toEqual(Array.from(bias.data));
    });
  });

  describe('linear', () => {
    test.each([
      [1, 1, 1],
      [3, 5, 7],
      [4, 16, 8],
      [7, 33, 17],
      [1, 384, 1536],
      [13, 64, 65],
      [33, 100, 31],
      [128, 384, 384],
    ])('%i rows from %i to %i', (rows, from, to) => {
      const [x, weight, bias] = [random.tensor([rows, from]), random.tensor([to, from]), random.tensor([to])];
      expectClose(engine().linear(x, weight, bias), oracle.linear(x, weight, bias), linearTolerance(x, weight, bias));
      expectClose(engine().linear(x, weight), oracle.linear(x, weight), linearTolerance(x, weight));
      expect(Array.from(engine().linear(x, weight, null).data)).toEqual(Array.from(engine().linear(x, weight).data));
    });
    test('any leading axes, none too', () => {
      const weight = random.tensor([6, 9]);
      for (const lead of [[], [1], [2, 3], [2, 3, 4], [0]]) {
        const x = random.tensor([...lead, 9]);
        const exact = oracle.linear(x, weight);
        expect(exact.shape).toEqual([...lead, 6]);
        expectClose(engine().linear(x, weight), exact, linearTolerance(x, weight));
      }
    });
    test('sizes at random', () => {
      for (let n = 0; n < 100; n++) {
        const [rows, from, to] = [random.integer(1, 70), random.integer(1, 70), random.integer(1, 70)];
        const [x, weight, bias] = [random.tensor([rows, from]), random.tensor([to, from]), random.tensor([to])];
        expectClose(engine().linear(x, weight, bias), oracle.linear(x, weight, bias), linearTolerance(x, weight, bias));
      }
    });
  });

  describe('gelu', () => {
    // x·Φ(x): Φ is good to a few roundings of 1, times |x|.
    const tolerance = (x: ArrayLike<number>) => (i: number) => 8 * U * (1 + Math.abs(x[i] as number));
    test('a fine sweep, and the exact form by name', () => {
      const x = { data: Float32Array.from({ length: 20001 }, (_, i) => (i - 10000) / 1000), shape: [20001] };
      expectClose(engine().gelu(x), oracle.map(x, oracle.gelu), tolerance(x.data));
      expectClose(engine().gelu(x, { approximate: 'none' }), oracle.map(x, oracle.gelu), tolerance(x.data));
    });
    test('the ends: 0, huge, infinite, NaN', () => {
      const { data } = engine().gelu({ data: Float32Array.of(0, 1e30, -1e30, Infinity, NaN, -20, 20), shape: [7] });
      expect(Array.from(data, (x) => x + 0)).toEqual([0, Math.fround(1e30), 0, Infinity, NaN, 0, 20]);
    });
    test('every length around a vector', () => {
      for (let n = 0; n < 40; n++) {
        const x = random.tensor([n], 2);
        expectClose(engine().gelu(x), oracle.map(x, oracle.gelu), tolerance(x.data));
      }
    });
  });

  const exactly = { add: oracle.add, multiply: oracle.multiply };
  describe.each(['add', 'multiply'] as const)('%s', (name) => {
    test.each([
      [
        [3, 4],
        [3, 4],
      ],
      [[2, 3, 4], [4]],
      [
        [2, 3, 4],
        [3, 4],
      ],
      [
        [2, 3, 4],
        [1, 3, 1],
      ],
      [
        [2, 3, 4],
        [2, 1, 1],
      ],
      [[2, 3, 4], [1]],
      [[5], [1]],
    ])('[%s] and [%s]', (left, right) => {
      const [x, y] = [random.tensor(left), random.tensor(right)];
      // One rounding of the exact sum or product.
      const exact = exactly[name](x, y);
      expectClose(engine()[name](x, y), exact, (i) => U * Math.abs(exact.data[i] as number) + 1e-45);
    });
    test.each([
      [
        [3, 4],
        [3, 4],
      ],
      [[4], [3, 4]],
      [[3, 4], [4]],
    ])("[%s] and [%s], onto the one that has the result's shape", (left, right) => {
      const [x, y] = [random.tensor(left), random.tensor(right)];
      const exact = exactly[name](x, y);
      const largerIsLeft = left.length >= right.length;
      const within = (i: number) => U * Math.abs(exact.data[i] as number) + 1e-45;
      using onto = engine().tensor(largerIsLeft ? x : y);
      const result = largerIsLeft ? engine()[name](onto, y, { out: onto }) : engine()[name](x, onto, { out: onto });
      expect(result).toBe(onto);
      expectClose(onto, exact, within);
      const larger = largerIsLeft ? x : y;
      engine()[name](x, y, { out: larger.data });
      expectClose(larger, exact, within);
    });
    test('onto both at once, and not onto a part of one', () => {
      const x = random.tensor([6]);
      const twice = exactly[name](x, x);
      engine()[name](x, x, { out: x.data });
      expectClose(x, twice, (i) => U * Math.abs(twice.data[i] as number) + 1e-45);
      const long = new Float32Array(8);
      const [a, b] = [long.subarray(0, 6), long.subarray(2)];
      expect(() => engine()[name](x, { data: a, shape: [6] }, { out: b })).toThrow(/overlaps y/);
    });
  });

  describe('embedding', () => {
    const table = random.tensor([11, 6]);
    test.each([
      ['plain numbers', [3, 0, 10, 3]],
      ['Int32Array', Int32Array.of(3, 0, 10, 3)],
      ['BigInt64Array', BigInt64Array.of(3n, 0n, 10n, 3n)],
    ])('%s', (_, ids) => {
      const exact = oracle.embedding({ data: ids, shape: [4] }, table);
      expectClose(engine().embedding(ids, table), exact, 0);
    });
    test('[B,S] gives [B,S,E]', () => {
      const ids = { data: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n), shape: [2, 3] };
      expectClose(engine().embedding(ids, table), oracle.embedding(ids, table), 0);
    });
    test('no ids', () => expect(engine().embedding([], table).shape).toEqual([0, 6]));
    test('half-precision tables are widened exactly', () => {
      const half: Plain = {
        data: Uint16Array.of(0x3c00, 0xc000, 0x3555, 1, 0x7bff, 0x8000),
        shape: [3, 2],
        dtype: 'float16',
      };
      expectClose(engine().embedding([2, 1], half), oracle.embedding({ data: [2, 1], shape: [2] }, half), 0);
    });
  });

  describe('sinusoidalPositions', () => {
    test.each([
      [1, 4, {}],
      [50, 384, {}],
      [3, 7, {}],
      [10, 16, { offset: 5000 }],
      [10, 16, { base: 100 }],
      [0, 8, {}],
    ])('%i positions of size %i, %o', (length, size, options) => {
      // The angle is exact in double; what is left is the rounding of a sine.
      expectClose(
        engine().sinusoidalPositions(length, size, options),
        oracle.sinusoidalPositions(length, size, options),
        2e-7,
      );
    });
  });
});
