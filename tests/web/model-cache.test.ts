import { type Attention, masks } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cut, feeding, windowed } from './cache-feeding.ts';
import { expectClose, largest } from './compare.ts';
import { decoders } from './families.ts';
import { everything, expectTrace, near, since } from './model-compare.ts';
import type { Hooks } from './oracle/model.ts';
import { rejection } from './refusals.ts';
import { forEachVariant } from './variants.ts';

const ids = [3, 0, 28, 7, 7, 14, 1, 22, 9, 30, 12, 5, 5, 18, 2, 26, 11, 4];
const S = ids.length;

forEachVariant('a model’s cache', (engine: () => Attention) => {
  describe.each(decoders)('$name', (family) => {
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: family.config, tensors: family.tensors });
    });
    afterAll(() => model?.dispose());
    const { feed, withCache } = feeding(family, () => model);

    test.each([1, 3, 7, S])('blocks of %i equal one sequence', (size) =>
      withCache((cache) => feed(cache, cut(ids, size))),
    );
    test('blocks of any lengths', () =>
      withCache((cache) => feed(cache, [ids.slice(0, 4), ids.slice(4, 5), ids.slice(5, 14), ids.slice(14)])));
    test('up to the last position and not past it', () =>
      withCache(async (cache) => {
        const text = Array.from({ length: model.maxLength }, (_, s) => (s * 7) % 31);
        await feed(cache, [text.slice(0, -1), text.slice(-1)]);
        await expect(model.forward([1], { cache })).rejects.toMatchObject({
          message: expect.stringContaining(String(model.maxLength)),
        });
        expect(cache.length).toBe(model.maxLength);
      }));
    test('length, fork, truncate and clear', () =>
      withCache(async (cache) => {
        expect(cache.length).toBe(0);
        await feed(cache, [ids.slice(0, 7)]);
        expect(cache.byteLength).toBeGreaterThan(0);
        const fork = cache.fork();
        expect(fork.length).toBe(7);
        // Each goes on by itself.
        await feed(cache, cut(ids.slice(7, 12), 2), {}, ids.slice(0, 7));
        await feed(fork, [[1, 1, 20], [6]], {}, ids.slice(0, 7));
        await feed(cache, [ids.slice(12)], {}, ids.slice(0, 12));
        cache.truncate(5);
        expect([cache.length, fork.length]).toEqual([5, 11]);
        await feed(cache, [[30], [8, 9]], {}, ids.slice(0, 5));
        await feed(fork, [[2, 2]], {}, [...ids.slice(0, 7), 1, 1, 20, 6]);
        fork.dispose();
        cache.clear();
        expect(cache.length).toBe(0);
        await feed(cache, cut(ids, 7));
      }));
    test('truncated to its own length, to nothing, and to more than it has', () =>
      withCache(async (cache) => {
        await feed(cache, [ids.slice(0, 4)]);
        cache.truncate(4);
        expect(cache.length).toBe(4);
        expect(() => cache.truncate(5)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
        cache.truncate(0);
        expect(cache.length).toBe(0);
        await feed(cache, [ids.slice(0, 4)]);
      }));
    test('with a mask, ablated heads and a temperature in every call', () =>
      withCache(async (cache) => {
        const options = {
          mask: masks.slidingWindow(3, 0).or(masks.globalTokens([1])),
          ablateHeads: [[1, 0]] as [number, number][],
          attentionTemperature: 1.5,
        };
        const rule = ({ p, j }: { p: number; j: number }) => j >= p - 3 || j === 1 || p === 1;
        const hooks: Hooks = { mask: () => ({ rule }), ablate: [[1, 0]], temperature: 1.5 };
        for (const [n, block] of cut(ids, 5).entries()) {
          const got = await model.forward(block, { ...everything, ...options, cache });
          expectTrace(got, since(n * 5, family.exact(ids.slice(0, n * 5 + block.length), hooks)));
        }
      }));
    test('of two sequences', () =>
      withCache(
        async (cache) => {
          const other = ids.map((id) => 30 - id);
          for (const [n, size] of [
            [0, 6],
            [6, 1],
            [7, 4],
          ] as const) {
            const blocks = [ids, other].map((text) => text.slice(n, n + size));
            const { logits } = await model.forward(blocks, { cache });
            [ids, other].forEach((text, b) => {
              const want = family.exact(text.slice(0, n + size)).logits;
              const row = { data: logits?.data.subarray(b * 31, (b + 1) * 31) as Float32Array, shape: [31] };
              expectClose(row, { data: want.data.slice(-31), shape: [31] }, near(want));
            });
          }
          expect(cache.length).toBe(11);
        },
        { batch: 2 },
      ));

    describe('stored smaller', () => {
      // A half is off by 2^-11 of a number, an int8 by 1/254 of the largest beside it; three layers enlarge that some times.
      test.each([
        ['float16', 2 ** -11, 0.6],
        ['int8', 1 / 254, 0.45],
      ] as const)('%s: near float32, and smaller', async (dtype, step, share) => {
        const [small, full] = [model.createCache({ dtype }), model.createCache({ dtype: 'float32' })];
        for (const block of cut(ids, 5)) {
          await model.forward(block, { cache: full });
          const { lastHiddenState: got } = await model.forward(block, { cache: small });
          const want = since(full.length - block.length, family.exact(ids.slice(0, full.length))).lastHiddenState;
          const { data, shape } = want;
          expectClose(got, { data, shape: [1, ...shape] }, 20 * step * largest(data));
          // What is stored did count.
          expect(() => expectClose(got, { data, shape: [1, ...shape] }, near(want))).toThrow('off by');
        }
        expect(small.byteLength).toBeLessThan(share * full.byteLength);
        for (const cache of [small, full]) cache.dispose();
      });
    });

    test('calls made at once come out as if made one by one', () =>
      withCache(async (cache) => {
        const calls = cut(ids, 4).map((block) => model.forward(block, { logits: 'all', cache }));
        const results = await Promise.all(calls);
        const exact = family.exact(ids);
        results.forEach(({ logits }, n) => {
          const rows = exact.logits.data.slice(n * 4 * 31, (n + 1) * 4 * 31);
          expectClose(logits as never, { data: rows, shape: [1, rows.length / 31, 31] }, near(exact.logits));
        });
      }));
    test('keeps no memory once it is gone', async () => {
      const call = async () => {
        const cache = model.createCache();
        for (const block of cut(ids, 6)) await model.forward(block, { cache });
        const fork = cache.fork();
        await model.forward([1], { cache: fork });
        for (const one of [cache, fork]) one.dispose();
      };
      for (let n = 0; n < 3; n++) await call();
      const bytes = engine().info.memoryBytes;
      for (let n = 0; n < 50; n++) await call();
      expect(engine().info.memoryBytes).toBe(bytes);
    });

    describe('a window', () => {
      test.each([
        [5, 0, 1],
        [5, 0, 3],
        [5, 2, 1],
        [5, 2, 3],
        [5, 2, 7],
        [3, 1, S],
        [40, 2, 4],
      ])('of %i with %i sinks, fed by %i, equals the oracle with its mask', (window, sinkTokens, size) =>
        withCache((cache) => feed(cache, cut(ids, size), windowed(window, sinkTokens)), { window, sinkTokens }),
      );
      test('is as before after an abort, what was let go included', () =>
        withCache(
          async (cache) => {
            const hooks = windowed(5, 1);
            await feed(cache, cut(ids.slice(0, 8), 4), hooks);
            const controller = new AbortController();
            const onLayer = (layer: number) => {
              if (layer === 1) controller.abort('no');
            };
            const call = model.forward([1, 2, 3, 4, 5, 6], { cache, signal: controller.signal, onLayer });
            const error = await rejection(call);
            expect([error.code, cache.length]).toEqual(['ABORTED', 8]);
            await feed(cache, [ids.slice(8, 10), ids.slice(10, 16)], hooks, ids.slice(0, 8));
          },
          { window: 5, sinkTokens: 1 },
        ));
      test('takes back what a rollback kept, as if it had never come', () =>
        withCache(
          async (cache) => {
            await feed(cache, [ids.slice(0, 12)], windowed(5, 1));
            await model.forward([30, 29, 28], { cache });
            const fork = cache.fork();
            for (const each of [cache, fork]) {
              each.truncate(12);
              await feed(each, [ids.slice(12)], windowed(5, 1), ids.slice(0, 12));
            }
            fork.dispose();
          },
          { window: 5, sinkTokens: 1, rollback: 3 },
        ));
      test('does not take back what it let go', () =>
        withCache(
          async (cache) => {
            await feed(cache, [ids.slice(0, 12)], windowed(5, 1));
            expect(() => cache.truncate(4)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
            expect(cache.length).toBe(12);
            await feed(cache, [ids.slice(12)], windowed(5, 1), ids.slice(0, 12));
          },
          { window: 5, sinkTokens: 1 },
        ));
    });
  });
});
