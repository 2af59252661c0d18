import { describe, expect, test } from 'vitest';
import { expectAttention, expectEverything } from './against-oracle.ts';
import { type Plain, Random } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(1);
const qkv = (q: number[], k: number[], v: number[]): [Plain, Plain, Plain] => [
  random.tensor(q),
  random.tensor(k),
  random.tensor(v),
];

forEachVariant('attention shapes', (engine) => {
  describe('semantics 1: every rank and its output', () => {
    test.each([
      { of: '[S,D]', q: [5, 8], k: [7, 8], v: [7, 6], output: [5, 6], pairs: [1, 1, 5, 7] },
      { of: '[H,S,D]', q: [3, 5, 8], k: [3, 7, 8], v: [3, 7, 6], output: [3, 5, 6], pairs: [1, 3, 5, 7] },
      {
        of: '[B,S,H·D]',
        q: [2, 5, 24],
        k: [2, 7, 24],
        v: [2, 7, 18],
        numHeads: 3,
        output: [2, 5, 18],
        pairs: [2, 3, 5, 7],
      },
      { of: '[S,H·D]', q: [5, 24], k: [7, 24], v: [7, 18], numHeads: 3, output: [5, 18], pairs: [1, 3, 5, 7] },
      { of: 'BHSD', q: [2, 3, 5, 8], k: [2, 3, 7, 8], v: [2, 3, 7, 6], output: [2, 3, 5, 6], pairs: [2, 3, 5, 7] },
      {
        of: 'BSHD',
        q: [2, 5, 3, 8],
        k: [2, 7, 3, 8],
        v: [2, 7, 3, 6],
        layout: 'BSHD',
        output: [2, 5, 3, 6],
        pairs: [2, 3, 5, 7],
      },
    ] as const)('$of', ({ q, k, v, output, pairs, ...rest }) => {
      const { layout, numHeads } = { layout: undefined, numHeads: undefined, ...rest };
      const options = { ...(layout && { layout }), ...(numHeads && { numHeads }) };
      const inputs = qkv([...q], [...k], [...v]);
      const got = engine().scaledDotProductAttention(...inputs, { ...options, weights: true, logSumExp: true });
      expect(got.output.shape).toEqual(output);
      expect(got.output.dims).toEqual(output);
      expect(got.weights.shape).toEqual(pairs);
      expect(got.logSumExp.shape).toEqual(pairs.slice(0, 3));
      expectEverything(engine(), inputs, options);
    });

    test('numHeads at rank 4 may be said again', () => {
      expectAttention(engine(), qkv([1, 4, 3, 8], [1, 2, 5, 8], [1, 2, 5, 8]), { numHeads: 4, numKvHeads: 2 });
    });
    test('one head of one query on one key', () => expectEverything(engine(), qkv([1, 1], [1, 1], [1, 1])));

    test.each([
      ['no queries', [2, 3, 0, 8], [2, 3, 7, 8], [2, 3, 7, 6]],
      ['no keys', [2, 3, 5, 8], [2, 3, 0, 8], [2, 3, 0, 6]],
      ['neither', [2, 3, 0, 8], [2, 3, 0, 8], [2, 3, 0, 6]],
      ['no batch', [0, 3, 5, 8], [0, 3, 7, 8], [0, 3, 7, 6]],
    ])('zero lengths are legal: %s', (_, q, k, v) => {
      const got = engine().scaledDotProductAttention(...qkv(q, k, v), { weights: true, logSumExp: true });
      const [B, H, Sq] = q as [number, number, number];
      expect(got.output.shape).toEqual([B, H, Sq, 6]);
      expect(got.weights.shape).toEqual([B, H, Sq, k[2]]);
      expect(Array.from(got.output.data)).toEqual(Array(B * H * Sq * 6).fill(0));
      expect(Array.from(got.logSumExp.data)).toEqual(Array(B * H * Sq).fill(-Infinity));
    });

    test('every length and size around vectors and tiles', () => {
      const around = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129];
      for (const n of around) {
        expectAttention(engine(), qkv([n, 8], [17, 8], [17, 8]));
        expectAttention(engine(), qkv([5, 8], [n, 8], [n, 8]), {}, { weights: true, logSumExp: true });
        expectAttention(engine(), qkv([5, n], [17, n], [17, 8]));
        expectAttention(engine(), qkv([5, 8], [17, 8], [17, n]));
        expectAttention(engine(), qkv([n, n], [n, n], [n, n]), { causal: true });
      }
    });
    test('lengths past any block', () => {
      expectAttention(engine(), qkv([2, 70, 16], [2, 1025, 16], [2, 1025, 16]), {}, { weights: true, logSumExp: true });
      expectAttention(engine(), qkv([1, 517, 16], [1, 1025, 16], [1, 1025, 16]), { causal: true }, { logSumExp: true });
    });
  });

  describe('semantics 7: heads', () => {
    test.each([
      [4, 1],
      [4, 2],
      [6, 3],
      [9, 3],
    ])('%i query heads over %i key heads', (H, Hkv) => {
      expectEverything(engine(), qkv([2, H, 5, 8], [2, Hkv, 6, 8], [2, Hkv, 6, 4]));
      expectAttention(engine(), qkv([2, 5, H * 8], [2, 6, Hkv * 8], [2, 6, Hkv * 4]), { numHeads: H, numKvHeads: Hkv });
    });

    test('query head h reads key head ⌊h·Hkv/H⌋, consecutively', () => {
      const value = { data: Float32Array.of(10, 20), shape: [2, 1, 1] };
      const got = engine().scaledDotProductAttention(random.tensor([6, 1, 1]), random.tensor([2, 1, 1]), value);
      expect(Array.from(got.output.data)).toEqual([10, 10, 10, 20, 20, 20]);
    });

    test('packed and head-major inputs say the same', () => {
      const [B, S, H, D] = [2, 9, 3, 8];
      const packed = qkv([B, S, H * D], [B, S, H * D], [B, S, H * D]);
      const sliced = packed.map((t) => ({ data: t.data, shape: [B, S, H, D] })) as [Plain, Plain, Plain];
      const one = engine().scaledDotProductAttention(...packed, { numHeads: H, causal: true });
      const other = engine().scaledDotProductAttention(...sliced, { layout: 'BSHD', causal: true });
      expect(Array.from(one.output.data)).toEqual(Array.from(other.output.data));
    });

    test.each([0.5, -1, 0, 3])('scale %f is used, also beside a mask', (scale) => {
      const mask = { data: Float32Array.from({ length: 35 }, () => random.normal()), shape: [5, 7] };
      expectEverything(engine(), qkv([5, 8], [7, 8], [7, 8]), { scale, mask });
    });
    test('the default scale is 1/√D, not 1/√Dv', () => expectEverything(engine(), qkv([5, 4], [7, 4], [7, 64])));
  });
});
