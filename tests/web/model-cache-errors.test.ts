import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { feeding } from './cache-feeding.ts';
import { decoders, encoder } from './families.ts';
import { rejection } from './refusals.ts';
import { forEachVariant } from './variants.ts';

const ids = [3, 0, 28, 7, 7, 14, 1, 22, 9, 30, 12, 5, 5, 18, 2, 26, 11, 4];

forEachVariant('a model’s cache refuses', (engine: () => Attention) => {
  describe.each(decoders)('$name', (family) => {
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: family.config, tensors: family.tensors });
    });
    afterAll(() => model?.dispose());
    const { feed, withCache } = feeding(family, () => model);

    describe('a capacity', () => {
      test('that is reached is refused before any work', () =>
        withCache(
          async (cache) => {
            await feed(cache, [ids.slice(0, 4)]);
            const onLayer = () => {
              throw new Error('worked');
            };
            const error = await rejection(model.forward(ids.slice(4, 7), { cache, onLayer }));
            expect([error.code, error.argument, cache.length]).toEqual(['CAPACITY_EXCEEDED', 'options.cache', 4]);
            await feed(cache, [ids.slice(4, 6)], {}, ids.slice(0, 4));
          },
          { capacity: 6 },
        ));
      test.each([0, -1, 1.5, '6'])('of %s is refused', (capacity) => {
        expect(() => model.createCache({ capacity } as never)).toThrow(
          expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'options.capacity' }),
        );
      });
    });

    describe('an abort', () => {
      test('leaves it as before', () =>
        withCache(async (cache) => {
          await feed(cache, [ids.slice(0, 4)]);
          const controller = new AbortController();
          const onLayer = (layer: number) => {
            if (layer === 1) controller.abort('no');
          };
          const error = await rejection(model.forward([1, 2], { cache, signal: controller.signal, onLayer }));
          expect([error.code, error.cause, cache.length]).toEqual(['ABORTED', 'no', 4]);
          await feed(cache, [ids.slice(4, 9)], {}, ids.slice(0, 4));
        }));
      test('what onLayer throws too', () =>
        withCache(async (cache) => {
          await feed(cache, [ids.slice(0, 4)]);
          const onLayer = (layer: number) => {
            if (layer === 2) throw new Error('stop');
          };
          await expect(model.forward([1, 2], { cache, onLayer })).rejects.toThrow('stop');
          expect(cache.length).toBe(4);
          await feed(cache, [ids.slice(4, 9)], {}, ids.slice(0, 4));
        }));
    });

    test('a change during a call', () =>
      withCache(async (cache) => {
        await feed(cache, [ids.slice(0, 4)]);
        let changes = 0;
        const onToken = () => {
          changes++;
          for (const change of [() => cache.truncate(1), () => cache.clear()])
            expect(change).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'cache' }));
        };
        await model.generate([5], { cache, maxNewTokens: 2, stop: [], onToken });
        expect([changes, cache.length]).toEqual([2, 6]);
      }));

    test('nothing of what was truncated: which positions attend goes with them', () =>
      withCache(async (cache) => {
        const [before, after] = [ids.slice(0, 2), ids.slice(9, 10)];
        await model.forward([...before, ...ids.slice(2, 6)], { cache, attentionMask: [1, 1, 0, 1, 1, 0] });
        cache.truncate(2);
        await feed(cache, [after], {}, before);
      }));

    describe('is refused', () => {
      test('of another model, even of the same checkpoint', async () => {
        const other = createModel(engine(), { config: family.config, tensors: family.tensors });
        const cache = other.createCache();
        const error = await rejection(model.forward(ids, { cache }));
        expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.cache']);
        other.dispose();
      });
      test.each([[{}], [3], ['cache'], [null]])('%s', async (cache) => {
        const error = await rejection(model.forward(ids, { cache } as never));
        expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.cache']);
      });
      test('for another number of sequences', () =>
        withCache(async (cache) => {
          const error = await rejection(model.forward([ids, ids], { cache }));
          expect(error.code).toMatch(/INVALID_ARGUMENT|SHAPE_MISMATCH/);
          expect(cache.length).toBe(0);
        }));
      test('after dispose', async () => {
        const cache = model.createCache();
        cache.dispose();
        cache.dispose();
        expect((await rejection(model.forward(ids, { cache }))).code).toBe('DISPOSED');
        for (const call of [() => cache.fork(), () => cache.clear(), () => cache.truncate(0)])
          expect(call).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      });
      test('after its model’s dispose', async () => {
        const own = createModel(engine(), { config: family.config, tensors: family.tensors });
        const cache = own.createCache();
        own.dispose();
        expect((await rejection(own.forward(ids, { cache }))).code).toBe('DISPOSED');
        expect(() => own.createCache()).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
        cache.dispose();
      });
      test.each([
        ['a key that nobody knows', { foo: 1 }, 'options.foo'],
        ['its own number of heads', { numKvHeads: 3 }, 'options.numKvHeads'],
        ['a type that is none', { dtype: 'float64' }, 'options.dtype'],
        ['sinks without a window', { sinkTokens: 2 }, 'options.sinkTokens'],
        ['a rollback without a window', { rollback: 2 }, 'options.rollback'],
      ])('with %s', (_, options, argument) => {
        expect(() => model.createCache(options as never)).toThrow(
          expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }),
        );
      });
    });
  });

  test('BERT has none', async () => {
    const model = createModel(engine(), { config: encoder.config, tensors: encoder.tensors });
    expect(() => model.createCache()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    const error = await rejection(model.forward([1, 2], { cache: {} } as never));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.cache']);
    model.dispose();
  });
});
