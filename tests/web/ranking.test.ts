import { describe, expect, test } from 'vitest';
import { Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

/** Indices of a line by falling value, NaN first, equal ones by rising index. */
function ranked(line: readonly number[]): number[] {
  const key = (x: number) => (Number.isNaN(x) ? Infinity : x);
  const isNan = (i: number) => Number(Number.isNaN(line[i]));
  return line
    .map((_, i) => i)
    .sort(
      (a, b) =>
        isNan(b) - isNan(a) ||
        (key(line[b] as number) > key(line[a] as number)
          ? 1
          : key(line[b] as number) < key(line[a] as number)
            ? -1
            : a - b),
    );
}

forEachVariant(`argmax and topK, seed ${seed}`, (engine) => {
  const lines = (data: ArrayLike<number>, outer: number, size: number, inner: number) =>
    Array.from({ length: outer * inner }, (_, n) =>
      Array.from({ length: size }, (_, i) => data[(Math.floor(n / inner) * size + i) * inner + (n % inner)] as number),
    );
  const views = [
    [-1, 6, 5, 1],
    [2, 6, 5, 1],
    [1, 2, 3, 5],
    [0, 1, 2, 15],
    [-3, 1, 2, 15],
  ] as const;

  test.each(views)('axis %i', (axis, outer, size, inner) => {
    const x = random.tensor([2, 3, 5]);
    const want = lines(x.data, outer, size, inner).map(ranked);
    const best = engine().argmax(x, { axis });
    expect(best.shape).toEqual(x.shape.filter((_, i) => i !== (axis + 3) % 3));
    expect(Array.from(best.data)).toEqual(want.map(([first]) => first));
    for (let k = 1; k <= size; k++) {
      const { values, indices } = engine().topK(x, k, { axis });
      expect(values.shape).toEqual(x.shape.map((n, i) => (i === (axis + 3) % 3 ? k : n)));
      expect(lines(indices.data, outer, k, inner)).toEqual(want.map((line) => line.slice(0, k)));
      const all = lines(x.data, outer, size, inner);
      expect(lines(values.data, outer, k, inner)).toEqual(
        want.map((line, n) => line.slice(0, k).map((i) => all[n]?.[i])),
      );
    }
  });
  test('of equal values the first, and NaN before all', () => {
    const line = [1, 3, NaN, 3, -Infinity, Infinity, NaN, Infinity];
    const x = { data: Float32Array.from(line), shape: [8] };
    expect(Array.from(engine().topK(x, 8).indices.data)).toEqual([2, 6, 5, 7, 1, 3, 0, 4]);
    expect(engine().argmax(x)).toEqual({ data: Int32Array.of(2), shape: [], dims: [] });
    expect(Array.from(engine().argmax({ data: Float32Array.of(2, 5, 5), shape: [3] }).data)).toEqual([1]);
  });
  test('many values that repeat', () => {
    const line = Array.from(random.floats(3000), (x) => Math.round(x * 20) / 20);
    const { indices } = engine().topK({ data: Float32Array.from(line), shape: [3000] }, 200);
    expect(Array.from(indices.data)).toEqual(ranked(line.map(Math.fround)).slice(0, 200));
  });
  test('halves and resident tensors; the indices are ids for embedding', () => {
    const half = { data: Uint16Array.of(0x3c00, 0x4000, 0xc000), shape: [3], dtype: 'float16' as const };
    expect(Array.from(engine().topK(half, 2).values.data)).toEqual([2, 1]);
    using resident = engine().tensor(random.tensor([4, 9]));
    const rows = engine().embedding(engine().argmax(resident, { axis: 0 }), resident);
    expect(rows.shape).toEqual([9, 9]);
  });
  describe('nothing', () => {
    test('no lines give nothing', () =>
      expect(engine().argmax({ data: new Float32Array(0), shape: [0, 3] }).shape).toEqual([0]));
  });
});
