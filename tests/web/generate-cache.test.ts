import { type Attention, masks } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { windowed } from './cache-feeding.ts';
import { expectClose } from './compare.ts';
import { greedy, type Next } from './decoding.ts';
import { decoders } from './families.ts';
import { near } from './model-compare.ts';
import { slidingWindow } from './oracle/masks.ts';
import { rejection } from './refusals.ts';
import { forEachVariant } from './variants.ts';

const prompt = [3, 0, 28, 7, 14];
const P = prompt.length;

forEachVariant('generate with a cache', (engine: () => Attention) => {
  describe.each(decoders)('$name', (family) => {
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: family.config, tensors: family.tensors });
    });
    afterAll(() => model?.dispose());
    const next: Next = (ids) => family.exact(ids).logits;
    const ids = greedy(next, prompt, 12).map(({ id }) => id);

    test('continues what it holds, and holds it afterwards', async () => {
      const cache = model.createCache();
      await model.forward(prompt.slice(0, 3), { cache });
      const got = await model.generate(prompt.slice(3), { maxNewTokens: 4, stop: [], cache });
      expect([...got]).toEqual(ids.slice(0, 4));
      const text = [...prompt, ...got];
      expect(cache.length).toBeGreaterThanOrEqual(P);
      expect(cache.length).toBeLessThanOrEqual(text.length);
      // The last token may or may not have been read; what has not, and one more.
      const { logits } = await model.forward([...text.slice(cache.length), 5], { cache });
      const want = next([...text, 5]);
      expectClose(logits as never, { data: want.data.slice(-31), shape: [1, 1, 31] }, near(want));
      cache.dispose();
    });
    test('call after call equals one', async () => {
      const cache = model.createCache();
      const first = await model.generate(prompt, { maxNewTokens: 3, stop: [], cache });
      const text = [...prompt, ...first];
      // A prompt must not be empty: where all was read, the last token is read again.
      if (cache.length === text.length) cache.truncate(text.length - 1);
      const second = await model.generate(text.slice(cache.length), { maxNewTokens: 3, stop: [], cache });
      expect([...first, ...second]).toEqual(ids.slice(0, 6));
      cache.dispose();
    });
    test('is as before when the call is aborted', async () => {
      const cache = model.createCache();
      await model.forward(prompt.slice(0, 2), { cache });
      const controller = new AbortController();
      const reason = new Error('enough');
      const onToken = ({ index }: { index: number }) => {
        if (index === 2) controller.abort(reason);
      };
      const options = { maxNewTokens: 8, stop: [], cache, signal: controller.signal, onToken };
      const error = await rejection(model.generate(prompt.slice(2), options));
      expect([error.code, error.cause, cache.length]).toEqual(['ABORTED', reason, 2]);
      expect([...(await model.generate(prompt.slice(2), { maxNewTokens: 5, stop: [], cache }))]).toEqual(
        ids.slice(0, 5),
      );
      cache.dispose();
    });
    test('is as before when onToken throws', async () => {
      const cache = model.createCache();
      await model.forward(prompt.slice(0, 2), { cache });
      const onToken = () => {
        throw new Error('no');
      };
      await expect(model.generate(prompt.slice(2), { maxNewTokens: 3, cache, onToken })).rejects.toThrow('no');
      expect(cache.length).toBe(2);
      cache.dispose();
    });
    test('just large enough: the last token is not read', async () => {
      const cache = model.createCache({ capacity: P + 3 });
      expect([...(await model.generate(prompt, { maxNewTokens: 4, stop: [], cache }))]).toEqual(ids.slice(0, 4));
      cache.clear();
      const error = await rejection(model.generate(prompt, { maxNewTokens: 5, stop: [], cache }));
      expect([error.code, cache.length]).toEqual(['CAPACITY_EXCEEDED', 0]);
      cache.dispose();
    });
    test('with a window: the oracle’s ids under its mask', async () => {
      const cache = model.createCache({ window: 4, sinkTokens: 1 });
      const { mayLose: _, ...hooks } = windowed(4, 1);
      const want = greedy((text) => family.exact(text, hooks).logits, prompt, 10).map(({ id }) => id);
      expect([...(await model.generate(prompt, { maxNewTokens: 10, stop: [], cache }))]).toEqual(want);
      cache.dispose();
    });
    test('and a mask that goes on', async () => {
      const cache = model.createCache();
      const hooks = { mask: () => ({ rule: slidingWindow(3, 0) }) };
      const want = greedy((text) => family.exact(text, hooks).logits, prompt, 8).map(({ id }) => id);
      const options = { maxNewTokens: 8, stop: [], mask: masks.slidingWindow(3, 0), cache };
      expect([...(await model.generate(prompt, options))]).toEqual(want);
      cache.dispose();
    });
    test('too small is refused before any work', async () => {
      const cache = model.createCache({ capacity: P + 2 });
      const onToken = () => {
        throw new Error('worked');
      };
      const error = await rejection(model.generate(prompt, { maxNewTokens: 9, stop: [], cache, onToken }));
      expect([error.code, cache.length]).toEqual(['CAPACITY_EXCEEDED', 0]);
      cache.dispose();
    });
  });
});
