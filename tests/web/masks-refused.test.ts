import { describe, expect, test } from 'vitest';
import { blockMap, isMask, masks } from '../../dist/masks/index.js';

describe('masks', () => {
  test('are told from what looks like them', () => {
    expect(isMask(masks.causal())).toBe(true);
    expect(isMask(masks.causal().and(masks.causal().not()))).toBe(true);
    expect([null, undefined, 1, {}, { ...masks.causal() }, Object.create(masks.causal())].filter(isMask)).toEqual([]);
  });

  test('too large to be written down are refused, and still have a density', () => {
    const shape = { queries: 2 ** 16, keys: 2 ** 16 };
    const many = 2 ** 31 - 1;
    const tooLarge = expect.objectContaining({ code: 'OUT_OF_MEMORY', argument: 'shape' });
    expect(() => masks.causal().toDense(shape)).toThrow(tooLarge);
    expect(() => masks.causal().toDense({ ...shape, heads: many })).toThrow(tooLarge);
    expect(() => masks.causal().toDense({ queries: 1, keys: 0, batch: many })).toThrow(tooLarge);
    expect(() => masks.keyPadding([1]).density({ ...shape, batch: many })).toThrow(tooLarge);
    expect(() => masks.fromFunction(() => true).density({ ...shape, heads: many })).toThrow(tooLarge);
    expect(masks.causal().density(shape)).toBe((2 ** 16 + 1) / 2 ** 17);
    expect(masks.causal().density({ queries: 1, keys: many, queryOffset: 2 ** 30 - 1 })).toBe(2 ** 30 / many);
  });

  test.each([
    ['keyPadding lengths', masks.keyPadding([1, 2, 3])],
    ['a narrow key table', masks.keyPadding({ data: new Uint8Array(198), dtype: 'bool', shape: [2, 99] })],
    ['prefixes', masks.prefixLM([1])],
    ['documents of other batches', masks.documents([new Int32Array(200)])],
    ['too few ids', masks.documents(new Int32Array(109))],
    ['too few block rows', masks.blockSparse({ data: new Uint8Array(20), shape: [1, 1, 2, 10] }, 50)],
    ['too few block columns', masks.blockSparse({ data: new Uint8Array(10), shape: [1, 1, 10, 1] }, 50)],
    ['blocks of other heads', masks.blockSparse({ data: new Uint8Array(300), shape: [1, 3, 10, 10] }, 50)],
    ['too many dense keys', masks.dense({ data: new Uint8Array(101), dtype: 'bool', shape: [101] })],
    ['too few dense queries', masks.dense({ data: new Uint8Array(9900), dtype: 'bool', shape: [99, 100] })],
  ])('that do not fit a call name the argument: %s', (_, mask) => {
    const extents = [0, 10].map((offset) => ({ queries: 100, keys: 100, offset }));
    for (const part of [mask, mask.not(), masks.causal().or(mask)]) {
      const wanted = (argument: string) => expect.objectContaining({ code: 'SHAPE_MISMATCH', argument });
      expect(() => blockMap(part, extents, 2)).toThrow(wanted('options.mask'));
      const shape = { batch: 2, heads: 2, queries: 100, keys: 100, queryOffset: [0, 10] };
      expect(() => part.density(shape)).toThrow(wanted('shape'));
    }
  });
});
