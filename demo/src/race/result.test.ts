import { expect, test } from 'vitest';
import { packHeads, resultOf } from './result';

test('the faster of the two operators counts', () => {
  const result = resultOf({ ours: [4, 2, 3], Attention: [20, 10, 30], MultiHeadAttention: [6, 5, 50] });
  expect(result).toMatchObject({ ours: 3, theirs: 6, operator: 'MultiHeadAttention' });
  expect(result.speeds).toEqual({ ours: 1, theirs: 0.5 });
});

test('whoever is faster has 1', () => {
  const { speeds, operator } = resultOf({ ours: [8], Attention: [2], MultiHeadAttention: [4] });
  expect(operator).toBe('Attention');
  expect(speeds).toEqual({ ours: 0.25, theirs: 1 });
});

test('packs [H, S, D] as [S, H·D]', () => {
  const [heads, length, size] = [3, 5, 2];
  const packed = packHeads(
    Float32Array.from({ length: heads * length * size }, (_, i) => i),
    heads,
    length,
  );
  for (let h = 0; h < heads; h++)
    for (let s = 0; s < length; s++)
      for (let d = 0; d < size; d++)
        expect(packed[s * heads * size + h * size + d]).toBe(h * length * size + s * size + d);
});
