import { type KvCache, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import type { CacheConfig } from './kv-cache-model.ts';
import { Twin } from './kv-cache-twin.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
const config: CacheConfig = { batch: 2, numKvHeads: 2, headDim: 6, valueDim: 5, capacity: 300 };
const queries = (S: number) => random.tensor([2, 4, S, 6]);
const keys = (S: number) => random.tensor([2, 2, S, 6]);
const values = (S: number) => random.tensor([2, 2, S, 5]);
const three = (S: number): [q: Floats, k: Floats, v: Floats] => [queries(S), keys(S), values(S)];
const everything = { weights: 'biased', logSumExp: true } as const;

forEachVariant(`what kvCache refuses, seed ${seed}`, (engine) => {
  const twin = (own: Partial<CacheConfig> = {}) => new Twin(engine(), { ...config, ...own });
  /** One that already holds 20 tokens. */
  const filled = () => {
    const both = twin();
    both.append(keys(20), values(20));
    return both;
  };

  describe('capacity', () => {
    test('may be filled to the last token, and not beyond', () => {
      const both = twin({ capacity: 20 });
      expect([both.cache.capacity, both.cache.length]).toEqual([20, 0]);
      both.append(keys(13), values(13));
      both.refuses((cache) => cache.append(keys(8), values(8)), 'CAPACITY_EXCEEDED');
      both.refuses((cache) => cache.attend(...three(8)), 'CAPACITY_EXCEEDED');
      both.attend(three(7), {}, everything);
      both.refuses((cache) => cache.append(keys(1), values(1)), 'CAPACITY_EXCEEDED');
      both.append(keys(0), values(0));
      both.attendOnly(queries(1));
      both.truncate(19);
      both.attend(three(1));
      both.dispose();
    });
    test('is promised, not taken', () => {
      const cache = engine().kvCache({ numKvHeads: 64, headDim: 128, capacity: 1_000_000 });
      expect([cache.capacity, cache.byteLength]).toEqual([1_000_000, 0]);
      cache.dispose();
    });
  });

  describe('a call that fails changes nothing', () => {
    const fails: [string, (cache: KvCache) => unknown, string, string][] = [
      ['keys of another size', (c) => c.append(random.tensor([2, 2, 3, 7]), values(3)), 'SHAPE_MISMATCH', 'k'],
      ['values of another length', (c) => c.attend(queries(3), keys(3), values(4)), 'SHAPE_MISMATCH', 'v'],
      [
        'a mask of another size',
        (c) => c.attend(...three(3), { mask: random.tensor([3, 24]) }),
        'SHAPE_MISMATCH',
        'options.mask',
      ],
      [
        'an output of another size',
        (c) => c.attend(...three(3), { out: new Float32Array(3) }),
        'SHAPE_MISMATCH',
        'options.out',
      ],
      [
        'lengths past the keys',
        (c) => c.attend(...three(3), { kvLengths: [24, 3] }),
        'INVALID_ARGUMENT',
        'options.kvLengths',
      ],
      [
        'sinks of other heads',
        (c) => c.attend(...three(3), { sinks: random.tensor([2]) }),
        'SHAPE_MISMATCH',
        'options.sinks',
      ],
    ];
    test.each(fails)('%s', (_, call, code, argument) => {
      const both = filled();
      both.refuses(call, code as 'SHAPE_MISMATCH', argument);
      both.attend(three(2), {}, everything);
      both.dispose();
    });
    test('nor does what a rule throws', () => {
      const both = filled();
      const own = new RangeError('of the rule');
      const mask = masks.fromFunction(() => {
        throw own;
      });
      expect(() => both.cache.attend(...three(3), { mask })).toThrow(own);
      both.attend(three(2), {}, everything);
      both.dispose();
    });
  });
});
