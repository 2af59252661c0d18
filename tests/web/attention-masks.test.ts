import { describe, expect, test } from 'vitest';
import { expectEverything } from './against-oracle.ts';
import { expectClose } from './compare.ts';
import { type Plain, Random } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(2);
const [B, H, Sq, Skv, D] = [2, 3, 4, 6, 8];
const inputs = (queries = Sq, keys = Skv): [Plain, Plain, Plain] => [
  random.tensor([B, H, queries, D]),
  random.tensor([B, H, keys, D]),
  random.tensor([B, H, keys, D]),
];
const bools = (shape: number[], keep = 0.7): Plain => ({
  data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random.chance(keep) ? 1 : 0)),
  shape,
  dtype: 'bool',
});
/** Which pairs of head 0 of batch b attend, as rows of 0 and 1. */
const pattern = (probabilities: { data: ArrayLike<number>; shape: readonly number[] }, b = 0): string[] => {
  const [, heads = 0, rows = 0, columns = 0] = probabilities.shape;
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) =>
      (probabilities.data[(b * heads * rows + i) * columns + j] as number) > 0 ? '1' : '0',
    ).join(''),
  );
};

forEachVariant('attention masks', (engine) => {
  const attends = (options: object, b = 0, [q, k, v] = inputs()) =>
    pattern(engine().scaledDotProductAttention(q, k, v, { ...options, weights: true }).weights, b);

  describe('semantics 2: order of steps and the taps', () => {
    test('scores and softcapped keep every pair, biased −∞ and probabilities 0 at masked ones', () => {
      const [q, k, v] = inputs();
      const options = { causal: true, mask: random.tensor([Sq, Skv]) } as const;
      expectEverything(engine(), [q, k, v], options);
      const tap = (weights: 'scores' | 'softcapped' | 'biased' | 'probabilities') =>
        engine().scaledDotProductAttention(q, k, v, { ...options, weights }).weights.data;
      expect(tap('scores')[5]).not.toBe(-Infinity);
      expect(Array.from(tap('softcapped'))).toEqual(Array.from(tap('scores')));
      expect(tap('biased')[5]).toBe(-Infinity);
      expect(tap('probabilities')[5]).toBe(0);
    });
    test('a float mask is added after the scale', () => {
      const [q, k, v] = inputs();
      const mask = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [Skv] };
      const got = engine().scaledDotProductAttention(q, k, v, { scale: 0, mask, weights: 'biased' });
      expect(Array.from(got.weights.data.subarray(0, 6))).toEqual([1, 2, 3, 4, 5, 6]);
      expectEverything(engine(), [q, k, v], { scale: 3, mask });
    });
    test('the output is the same whatever is asked for beside it', () => {
      const x = inputs();
      const plain = engine().scaledDotProductAttention(...x, { causal: true }).output.data;
      for (const weights of ['scores', 'biased', 'probabilities'] as const) {
        const got = engine().scaledDotProductAttention(...x, { causal: true, weights, logSumExp: true }).output.data;
        expectClose({ data: got, shape: [got.length] }, { data: plain, shape: [plain.length] }, 2e-5);
      }
    });
  });

  describe('semantics 3: masks compose and broadcast from the right', () => {
    const full = [B, H, Sq, Skv];
    const shapes = [
      [Skv],
      [1],
      [Sq, Skv],
      [1, Skv],
      [Sq, 1],
      [H, Sq, Skv],
      [1, Sq, Skv],
      [H, 1, Skv],
      [H, 1, 1],
      [B, 1, 1, Skv],
      [B, H, 1, 1],
      full,
    ];
    test.each(shapes.map((shape) => [shape]))('bool and float of shape [%s]', (shape) => {
      expectEverything(engine(), inputs(), { mask: bools(shape) });
      expectEverything(engine(), inputs(), { mask: random.tensor(shape) });
    });
    test('a rank-3 mask is per head, not per batch', () => {
      const mask = bools([H, Sq, Skv], 1);
      (mask.data as Uint8Array).fill(0, Sq * Skv, 2 * Sq * Skv); // nothing for head 1
      const { data } = engine().scaledDotProductAttention(...inputs(), { mask, weights: true }).weights;
      const rows = (b: number, h: number) =>
        Array.from(data.subarray((b * H + h) * Sq * Skv, (b * H + h + 1) * Sq * Skv));
      for (const b of [0, 1]) {
        expect(rows(b, 1).every((p) => p === 0)).toBe(true);
        expect(rows(b, 0).every((p) => p > 0)).toBe(true);
      }
    });
    test.each([2, 3, 5])('a last axis of %i of 6 is padded with masked', (last) => {
      expectEverything(engine(), inputs(), { mask: bools([Sq, last], 1) });
      expectEverything(engine(), inputs(), { mask: random.tensor([B, 1, Sq, last]) });
      expect(attends({ mask: bools([Sq, last], 1) })[0]).toBe('1'.repeat(last) + '0'.repeat(Skv - last));
    });
    test('bool: any non-zero byte attends', () => {
      const mask: Plain = { data: Uint8Array.of(0, 1, 2, 128, 255, 0), shape: [Skv], dtype: 'bool' };
      expect(attends({ mask })[0]).toBe('011110');
    });
    test.each([
      ['bool', bools([B, Skv])],
      ['int32', { data: Int32Array.of(1, 0, 1, -1, 7, 0, 0, 1, 1, 1, 0, 1), shape: [B, Skv] }],
      ['int64', { data: BigInt64Array.of(1n, 0n, 1n, 1n, 0n, 1n, 0n, 1n, 1n, 1n, 0n, 1n), shape: [B, Skv] }],
      ['uint8', { data: Uint8Array.of(1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1), shape: [B, Skv] }],
    ] as [string, Plain][])('attentionMask of %s', (_, attentionMask) => {
      expectEverything(engine(), inputs(), { attentionMask });
    });
    test.each([[[3, 5]], [[0, 6]], [Int32Array.of(6, 1)], [BigInt64Array.of(2n, 4n)]])('kvLengths %s', (kvLengths) => {
      expectEverything(engine(), inputs(), { kvLengths });
    });
    test('kvLengths cuts keys only: later queries are computed like any other', () => {
      expect(attends({ kvLengths: [2, 2] })).toEqual(Array(Sq).fill('110000'));
    });
    test('all at once', () => {
      const attentionMask = bools([B, Skv], 0.8);
      for (const mask of [bools([H, Sq, Skv]), random.tensor([B, 1, Sq, 5])])
        expectEverything(engine(), inputs(), { causal: true, queryOffset: 2, kvLengths: [5, 3], attentionMask, mask });
    });
    test('causal is not ignored beside a mask', () => {
      expect(attends({ causal: true, mask: bools([Sq, Skv], 1) })).toEqual(['100000', '110000', '111000', '111100']);
    });
  });

  describe('semantics 4: positions', () => {
    const upperLeft = ['100000', '110000', '111000', '111100'];
    const lowerRight = ['111000', '111100', '111110', '111111'];
    test.each([true, 'upper-left'] as const)('causal %s stands at the upper left', (causal) => {
      expect(attends({ causal })).toEqual(upperLeft);
      expectEverything(engine(), inputs(), { causal });
    });
    test("causal 'lower-right' ends at the last key", () => {
      expect(attends({ causal: 'lower-right' })).toEqual(lowerRight);
      expectEverything(engine(), inputs(), { causal: 'lower-right' });
    });
    test("'lower-right' with kvLengths ends at the last valid key, true does not move", () => {
      expect(attends({ causal: 'lower-right', kvLengths: [5, 3] }, 0)).toEqual([
        '110000',
        '111000',
        '111100',
        '111110',
      ]);
      expect(attends({ causal: 'lower-right', kvLengths: [5, 3] }, 1)).toEqual([
        '000000',
        '100000',
        '110000',
        '111000',
      ]);
      expect(attends({ causal: true, kvLengths: [5, 3] }, 1)).toEqual(['100000', '110000', '111000', '111000']);
      expectEverything(engine(), inputs(), { causal: 'lower-right', kvLengths: [5, 3] });
    });
    test("'lower-right' with more queries than keys leaves early rows empty", () => {
      expect(attends({ causal: 'lower-right' }, 0, inputs(5, 3))).toEqual(['000', '000', '100', '110', '111']);
      expectEverything(engine(), inputs(5, 3), { causal: 'lower-right' });
    });
    test.each([0, 1, 2, 5, 100, -1, -2, -100, 2 ** 31 - 1, -(2 ** 31)])('queryOffset %i', (queryOffset) => {
      expectEverything(engine(), inputs(), { causal: true, queryOffset });
    });
    test('queryOffset −1 leaves the first row empty', () =>
      expect(attends({ causal: true, queryOffset: -1 })).toEqual(['000000', '100000', '110000', '111000']));
    test.each([[[2, -1]], [Int32Array.of(0, 3)], [BigInt64Array.of(1n, -2n)]])(
      'queryOffset per batch: %s',
      (queryOffset) => {
        expectEverything(engine(), inputs(), { causal: true, queryOffset });
      },
    );
    test('queryOffset alone masks nothing, and wins over kvLengths as the position', () => {
      expectEverything(engine(), inputs(), { queryOffset: -3 });
      expect(attends({ causal: true, queryOffset: 1, kvLengths: [5, 2] }, 1)).toEqual(Array(Sq).fill('110000'));
    });
    test('kvLengths, attentionMask and dense masks use plain indices whatever the offset', () => {
      const attentionMask = {
        data: Uint8Array.of(0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1),
        shape: [B, Skv],
        dtype: 'bool',
      } as const;
      const mask: Plain = { data: Uint8Array.of(1, 1, 0, 1, 1, 1), shape: [Skv], dtype: 'bool' };
      expect(attends({ causal: true, queryOffset: 2, attentionMask, mask, kvLengths: [5, 5] })).toEqual([
        '010000',
        '010100',
        '010110',
        '010110',
      ]);
    });
  });
});
