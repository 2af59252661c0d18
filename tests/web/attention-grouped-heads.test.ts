import { masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);

/** Which keys each of the eight heads that share one key head sees: stretches of one begin where another's end. */
const rules = {
  'stretches that touch': (head: number, key: number) => (head === 0 ? key < 64 || key >= 128 : head > 3 || key < 128),
  'heads that see nothing in common': (head: number, key: number) => Math.floor(key / 25) === head,
  'one head that sees nothing': (head: number, key: number) => head !== 2 && key % 3 === head % 3,
  'first and last blocks': (head: number, key: number) => (head % 2 === 0 ? key < 64 : key >= 192),
};

forEachVariant('heads that share keys and see different ones', (engine) => {
  describe.each(Object.entries(rules))('%s', (_, sees) => {
    test.each([
      [1, 0],
      [1, 37],
      [2, 1],
      [3, 100],
      [8, 61],
      [9, 61],
    ])('%i queries, keys from %i on', (queries, from) => {
      const keys = 200;
      const [q, k, v] = [
        random.tensor([1, 8, queries, 8]),
        random.tensor([1, 1, keys, 8]),
        random.tensor([1, 1, keys, 8]),
      ];
      const left = keys - 1 - from;
      const options = { window: [left, -1], queryOffset: keys - 1, logSumExp: true } as const;
      const rule = masks.fromFunction((_batch, head, _query, key) => sees(head, key), { perBatch: false });
      const dense = Uint8Array.from({ length: 8 * keys }, (_, at) => (sees(Math.floor(at / keys), at % keys) ? 1 : 0));
      const mask = { data: dense, shape: [8, 1, keys], dtype: 'bool' } as const;
      const actual = engine().scaledDotProductAttention(q, k, v, { ...options, mask: rule });
      // One head at a time has no group to be right in.
      for (let head = 0; head < 8; head++) {
        const part = (data: Float32Array, size: number) => ({
          data: data.slice(head * size, (head + 1) * size),
          shape: [size],
        });
        const own = { data: part(q.data, queries * 8).data, shape: [1, 1, queries, 8] };
        const ownMask = {
          data: mask.data.slice(head * keys, (head + 1) * keys),
          shape: [1, keys],
          dtype: 'bool',
        } as const;
        const expected = engine().scaledDotProductAttention(own, k, v, { ...options, mask: ownMask });
        expectClose(part(actual.output.data, queries * 8), { data: expected.output.data, shape: [queries * 8] }, 1e-5);
        expectClose(part(actual.logSumExp.data, queries), { data: expected.logSumExp.data, shape: [queries] }, 1e-5);
      }
      expect(actual.output.shape).toEqual([1, 8, queries, 8]);
    });
  });
});
