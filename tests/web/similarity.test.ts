import { describe, expect, test } from 'vitest';
import { expectClose, U } from './compare.ts';
import type { Exact, Numbers } from './oracle/values.ts';
import { valuesOf } from './oracle/values.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
const norm = (row: ArrayLike<number>) => Math.sqrt(Array.from(row).reduce((sum, x) => sum + x * x, 0));

function normalized(x: Numbers, axis = -1, epsilon = 1e-12): Exact {
  const data = valuesOf(x);
  const at = axis < 0 ? axis + x.shape.length : axis;
  const size = x.shape[at] as number;
  const inner = x.shape.slice(at + 1).reduce((a, b) => a * b, 1);
  const want = Float64Array.from(data, (value, flat) => {
    const first = flat - (Math.floor(flat / inner) % size) * inner;
    const line = Array.from({ length: size }, (_, i) => data[first + i * inner] as number);
    return value / Math.max(norm(line), epsilon);
  });
  return { data: want, shape: x.shape };
}

forEachVariant(`l2Normalize and cosineSimilarity, seed ${seed}`, (engine) => {
  describe('l2Normalize', () => {
    // Computed in double and rounded once.
    const check = (x: Floats, options?: { axis?: number; epsilon?: number }) => {
      const want = normalized(x, options?.axis, options?.epsilon);
      expectClose(engine().l2Normalize(x, options), want, (i) => U * Math.abs(want.data[i] as number) + 1e-45);
    };
    test.each([0, 1, 2, -1, -2, -3])('over axis %i', (axis) => check(random.tensor([3, 4, 5]), { axis }));
    test.each([1, 2, 3, 4, 5, 7, 384, 1000])('size %i', (n) => check(random.tensor([3, n])));
    test.each([1e-30, 1e-20, 1e20, 1e38])('values of size %d', (size) =>
      check(random.tensor([3, 50], size), { epsilon: 0 }),
    );
    test('what is shorter than epsilon is divided by it; zeros stay zeros', () => {
      check(random.tensor([3, 5], 1e-3), { epsilon: 0.5 });
      check({ data: new Float32Array(6), shape: [2, 3] });
    });
    test('NaN spoils its line alone', () => {
      const x = random.tensor([3, 4]);
      x.data[5] = NaN;
      expect(Array.from(engine().l2Normalize(x).data, Number.isNaN)).toEqual(
        Array.from({ length: 12 }, (_, i) => i >> 2 === 1),
      );
    });
    test('onto x', () => {
      const x = random.tensor([4, 6]);
      const want = normalized(x);
      engine().l2Normalize(x, { out: x.data });
      expectClose(x, want, (i) => U * Math.abs(want.data[i] as number));
    });
  });

  describe('cosineSimilarity', () => {
    test.each([
      [
        [3, 8],
        [5, 8],
        [3, 5],
      ],
      [[8], [5, 8], [5]],
      [[3, 8], [8], [3]],
      [[8], [8], []],
      [
        [2, 3, 384],
        [7, 384],
        [2, 3, 7],
      ],
      [
        [0, 4],
        [3, 4],
        [0, 3],
      ],
    ])('[%s] and [%s] → [%s]', (left, right, shape) => {
      const [x, y] = [random.tensor(left), random.tensor(right)];
      const size = left.at(-1) as number;
      const row = (t: Numbers, n: number) => valuesOf(t).subarray(n * size, (n + 1) * size);
      const [rows, others] = [x.data.length / size, y.data.length / size];
      const data = Float64Array.from({ length: rows * others }, (_, flat) => {
        const [a, b] = [row(x, Math.floor(flat / others)), row(y, flat % others)];
        return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0) / (norm(a) * norm(b));
      });
      expectClose(engine().cosineSimilarity(x, y), { data, shape }, 1e-6);
    });
    test('a row with itself is 1, with its opposite -1, with zeros 0, however long it is', () => {
      const x = random.tensor([64], 1e25);
      const opposite = { ...x, data: x.data.map((value) => -value * 1e-40) };
      expectClose(engine().cosineSimilarity(x, x), { data: [1], shape: [] }, 1e-6);
      expectClose(engine().cosineSimilarity(x, opposite), { data: [-1], shape: [] }, 1e-6);
      expectClose(
        engine().cosineSimilarity(x, { data: new Float32Array(64), shape: [64] }),
        { data: [0], shape: [] },
        0,
      );
    });
  });
});
