import { expect, test } from 'vitest';
import { poolMax } from './pool';

test('a small matrix is drawn as it is', () => {
  const matrix = Float32Array.of(1, 2, 3, 4);
  expect(poolMax(matrix, 2, 2)).toEqual({ cells: matrix, side: 2 });
});

test('a lone strong cell of a large one survives, in its block', () => {
  for (const size of [5, 33, 128]) {
    for (const [query, key] of [
      [0, 0],
      [size - 1, 0],
      [2, size - 1],
    ]) {
      const matrix = new Float32Array(size * size);
      matrix[query * size + key] = 1;
      const { cells, side } = poolMax(matrix, size, 4);
      expect(side).toBe(4);
      const expected = Math.floor((query * 4) / size) * 4 + Math.floor((key * 4) / size);
      expect([...cells.keys()].filter((i) => cells[i] > 0)).toEqual([expected]);
    }
  }
});
