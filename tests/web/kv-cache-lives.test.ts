import { createAttention, type KvCache } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { type CacheConfig, cacheTypes } from './kv-cache-model.ts';
import { Twin } from './kv-cache-twin.ts';
import { type Floats, Random, seed } from './random.ts';
import { forEachVariant, load } from './variants.ts';

const random = new Random(seed);
const config: CacheConfig = { batch: 3, numKvHeads: 2, headDim: 6, valueDim: 5, capacity: 300 };
const queries = (S: number) => random.tensor([3, 4, S, 6]);
const pair = (S: number): [k: Floats, v: Floats] => [random.tensor([3, 2, S, 6]), random.tensor([3, 2, S, 5])];
const everything = { weights: true, logSumExp: true } as const;

forEachVariant(`truncate, fork, reorder, bytes and dispose of kvCache, seed ${seed}`, (engine) => {
  const filled = (count: number, own: Partial<CacheConfig> = {}) => {
    const both = new Twin(engine(), { ...config, ...own });
    both.append(...pair(count));
    return both;
  };
  const goOn = (both: Twin, count = 2) => both.attend([queries(count), ...pair(count)], {}, everything);

  describe('truncate', () => {
    test.each([0, 1, 15, 16, 17, 127, 128, 129, 140])('to %i of 140: speculative tokens are undone', (length) => {
      const both = filled(140);
      both.truncate(length);
      both.attendOnly(queries(2));
      goOn(both, 3);
      both.dispose();
    });
    test('clear empties, and it begins at 0 again', () => {
      const both = filled(20);
      both.clear();
      expect(both.cache.length).toBe(0);
      goOn(both, 5);
      both.dispose();
    });
    test('of a fork leaves the other alone', () => {
      const both = filled(30);
      const fork = both.fork();
      fork.truncate(10);
      fork.append(...pair(40));
      both.append(...pair(1));
      for (const each of [both, fork]) goOn(each);
      for (const each of [both, fork]) each.dispose();
    });
  });

  describe('fork', () => {
    test('forks go their own ways, in whatever order they go on', () => {
      const twins = [filled(20)];
      for (let n = 0; n < 40; n++) {
        const at = random.pick(twins);
        if (twins.length < 6) twins.push(at.fork());
        goOn(at, random.integer(1, 5));
        if (n % 7 === 6) twins.splice(twins.indexOf(at), 1)[0]?.dispose();
      }
      for (const each of twins) each.attendOnly(queries(1));
      for (const each of twins) each.dispose();
    });
    test('outlives the one it was forked from', () => {
      const both = filled(20);
      const fork = both.fork();
      both.dispose();
      filled(50).dispose(); // takes what pages were freed
      goOn(fork);
      fork.dispose();
    });
  });

  describe('reorder', () => {
    test.each([[[0, 1, 2]], [[2, 0, 1]], [[1, 1, 1]], [[0, 0, 2]], [[2, 1, 2]]])('%j', (batch) => {
      const both = filled(20);
      const fork = both.fork();
      both.reorder(batch);
      both.attendOnly(queries(1));
      goOn(both);
      both.reorder(batch, BigInt64Array.from(batch.map(BigInt)));
      goOn(both);
      for (const each of [fork, both]) goOn(each, 20);
      for (const each of [fork, both]) each.dispose();
    });
    test('beam search: beams part, join and part again', () => {
      const both = filled(13);
      for (let n = 0; n < 40; n++) {
        both.reorder([random.integer(0, 2), random.integer(0, 2), random.integer(0, 2)]);
        goOn(both, 1);
      }
      both.dispose();
    });
    test('of a window', () => {
      const both = filled(20, { window: 7, sinkTokens: 2, capacity: 12 });
      for (let n = 0; n < 20; n++) {
        both.reorder([2, random.integer(0, 2), 0]);
        goOn(both, 1 + (n % 4));
      }
      both.dispose();
    });
  });

  describe('toBytes and load', () => {
    const kinds: [string, Partial<CacheConfig>][] = [
      ...cacheTypes.map((dtype): [string, Partial<CacheConfig>] => [dtype, { dtype }]),
      ['a window', { window: 5, sinkTokens: 1, capacity: 10 }],
      ['a window in int8', { window: 5, capacity: 9, dtype: 'int8' }],
    ];
    test.each(kinds)('%s: the same bits afterwards', (_, own) => {
      for (const count of [0, 1, 16, 33, 140]) {
        const both = filled(count, own);
        const again = both.reloaded();
        const [q, ...kv] = [queries(2), ...pair(2)];
        const want = both.cache.attend(q, ...kv, everything);
        expect(again.cache.attend(q, ...kv, everything)).toEqual(want);
        expect(again.cache.byteLength).toBe(both.cache.byteLength);
        for (const each of [both, again]) each.dispose();
      }
    });
    test.each(kinds)('%s: a byte changed, missing or too many is told, and nothing is lost', (_, own) => {
      const small = { batch: 1, numKvHeads: 1, headDim: 3, valueDim: 2, capacity: 30 };
      const both = new Twin(engine(), { ...small, ...own });
      const chunk = (S: number) => [random.tensor([S, 3]), random.tensor([S, 2])] as const;
      both.append(...chunk(14));
      const bytes = both.cache.toBytes();
      both.append(...chunk(1));
      const corrupt = (broken: Uint8Array) =>
        expect(() => both.cache.load(broken)).toThrow(
          expect.objectContaining({ code: 'CORRUPT_FILE', argument: 'bytes' }),
        );
      for (let n = 0; n < bytes.length; n++) {
        const broken = bytes.slice();
        broken[n] = (bytes[n] as number) ^ random.pick([1, 2, 16, 128, 255]);
        corrupt(broken);
        corrupt(bytes.subarray(0, n));
      }
      for (const more of [1, 3, 64]) {
        const longer = new Uint8Array(bytes.length + more);
        longer.set(bytes);
        corrupt(longer);
        corrupt(bytes.slice(more));
      }
      both.attend([random.tensor([2, 3]), ...chunk(2)], {}, everything);
      both.dispose();
    });
    test('bytes of another config are refused', () => {
      const from = { batch: 2, numKvHeads: 2, headDim: 4, valueDim: 4, capacity: 12, window: 7, sinkTokens: 1 };
      const both = new Twin(engine(), { ...from, dtype: 'float16' });
      const bytes = both.cache.toBytes();
      both.dispose();
      const others: Partial<CacheConfig>[] = [
        { batch: 1 },
        { numKvHeads: 4 },
        { headDim: 2 },
        { valueDim: 8 },
        { capacity: 13 },
        { window: 8 },
        { sinkTokens: 0 },
        { dtype: 'float32' },
        { dtype: 'int8' },
      ];
      for (const other of others) {
        const twin = new Twin(engine(), { ...from, dtype: 'float16', ...other });
        twin.refuses((cache) => cache.load(bytes), 'INVALID_ARGUMENT', 'bytes');
        twin.dispose();
      }
      const { window: _w, sinkTokens: _s, ...open } = from;
      const twin = new Twin(engine(), { ...open, dtype: 'float16' });
      twin.refuses((cache) => cache.load(bytes), 'INVALID_ARGUMENT', 'bytes');
      twin.dispose();
    });
    test('bytes are a copy, may lie anywhere, and load into several, of other engines too', async () => {
      const both = filled(20, { dtype: 'float16' });
      const bytes = both.cache.toBytes();
      const kept = new Uint8Array(bytes.length + 3);
      kept.set(bytes, 3);
      goOn(both);
      both.cache.load(kept.subarray(3));
      both.model.truncate(20);
      const fork = both.fork();
      fork.append(...pair(30));
      fork.cache.load(bytes);
      fork.model.truncate(20);
      kept.fill(255);
      bytes.fill(0);
      for (const each of [both, fork]) goOn(each);
      const other = await createAttention(load('simd'));
      const there = other.kvCache(both.model.config);
      there.load(both.cache.toBytes());
      goOn(new Twin(other, both.model.config, there, both.model));
      other.dispose();
      for (const each of [both, fork]) each.dispose();
    });
  });

  describe('dispose', () => {
    const disposed = expect.objectContaining({ code: 'DISPOSED' });
    const uses: [string, (cache: KvCache) => unknown][] = [
      ['append', (c) => c.append(...pair(1))],
      ['attend', (c) => c.attend(queries(1), ...pair(1))],
      ['attend only', (c) => c.attend(queries(1), null, null)],
      ['truncate', (c) => c.truncate(0)],
      ['clear', (c) => c.clear()],
      ['fork', (c) => c.fork()],
      ['reorder', (c) => c.reorder([0, 1, 2])],
      ['toBytes', (c) => c.toBytes()],
      ['load', (c) => c.load(new Uint8Array(3))],
    ];
    test('twice is fine, and nothing can be done afterwards', () => {
      const { cache } = filled(3);
      cache.dispose();
      cache.dispose();
      for (const [name, use] of uses) expect(() => use(cache), name).toThrow(disposed);
    });
    test('goes with `using`', () => {
      let kept: KvCache;
      {
        using cache = engine().kvCache(config);
        kept = cache;
      }
      expect(() => kept.clear()).toThrow(disposed);
    });
    test('goes with the engine', async () => {
      const own = await createAttention(load('simd'));
      const cache = own.kvCache(config);
      cache.append(...pair(5));
      own.dispose();
      for (const [name, use] of uses) expect(() => use(cache), name).toThrow(disposed);
      expect(() => own.kvCache(config)).toThrow(disposed);
      cache.dispose();
    });
  });
});
