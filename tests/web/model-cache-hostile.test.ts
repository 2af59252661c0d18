import { type Attention, createAttention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { feeding } from './cache-feeding.ts';
import { expectClose } from './compare.ts';
import { decoders } from './families.ts';
import { near } from './model-compare.ts';
import { rejection } from './refusals.ts';
import { forEachVariant } from './variants.ts';

const ids = [3, 0, 28, 7, 7, 14, 1, 22, 9, 30, 12];
const [family] = decoders as [(typeof decoders)[number]];

forEachVariant('a model’s cache, touched while a call runs', (engine: () => Attention, variant) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config: family.config, tensors: family.tensors });
  });
  afterAll(() => model?.dispose());
  const { feed, withCache } = feeding(family, () => model);

  test('has the length it had after the last finished call', () =>
    withCache(async (cache) => {
      await feed(cache, [ids.slice(0, 4)]);
      const seen: number[] = [];
      await model.forward(ids.slice(4, 9), { cache, onLayer: () => seen.push(cache.length) });
      expect([...seen, cache.length]).toEqual([4, 4, 4, 9]);
    }));
  test.each([0, 1])('forked after layer %i: the fork is whole', (at) =>
    withCache(async (cache) => {
      await feed(cache, [ids.slice(0, 4)]);
      let fork = cache;
      const onLayer = (layer: number) => {
        if (layer === at) fork = cache.fork();
      };
      await model.forward(ids.slice(4, 9), { cache, onLayer });
      await feed(fork, [ids.slice(fork.length)], {}, ids.slice(0, fork.length));
      await feed(cache, [ids.slice(9)], {}, ids.slice(0, 9));
      fork.dispose();
    }),
  );
  test.each(['truncate', 'clear'] as const)('%s: refused or obeyed, and whole afterwards', (what) =>
    withCache(async (cache) => {
      await feed(cache, [ids.slice(0, 4)]);
      const onLayer = (layer: number) => {
        if (layer !== 1) return;
        if (what === 'clear') cache.clear();
        else cache.truncate(2);
      };
      // Whatever comes of the call, what the cache then says it holds is what it attends to.
      await model.forward(ids.slice(4, 9), { cache, onLayer }).catch(() => {});
      cache.truncate(Math.min(2, cache.length));
      await feed(cache, [ids.slice(cache.length, 9)], {}, ids.slice(0, cache.length));
    }),
  );
  test('disposed: gone for good, and its memory comes back', async () => {
    const once = async () => {
      const cache = model.createCache();
      await model.forward(ids, { cache });
      const onLayer = () => cache.dispose();
      await model.forward(ids, { cache, onLayer }).catch((error) => expect(error.code).toBe('DISPOSED'));
      expect((await rejection(model.forward(ids, { cache }))).code).toBe('DISPOSED');
    };
    for (let n = 0; n < 3; n++) await once();
    const bytes = engine().info.memoryBytes;
    for (let n = 0; n < 100; n++) await once();
    expect(engine().info.memoryBytes).toBe(bytes);
  });
  test.each(['model', 'engine'] as const)('the %s disposed while it generates: DISPOSED', async (which) => {
    const other = await createAttention({ variant });
    const own = createModel(other, { config: family.config, tensors: family.tensors });
    const cache = own.createCache();
    const onToken = ({ index }: { index: number }) => {
      if (index === 1) (which === 'model' ? own : other).dispose();
    };
    const error = await rejection(own.generate(ids, { maxNewTokens: 5, stop: [], cache, onToken }));
    expect(error.code).toBe('DISPOSED');
    cache.dispose();
    other.dispose();
  });
  test('calls made at once do not mix', async () => {
    const alone = await model.generate(ids, { maxNewTokens: 5, stop: [] });
    const [one, two, three] = await Promise.all([
      model.generate(ids, { maxNewTokens: 5, stop: [] }),
      model.forward(ids),
      model.generate(ids, { maxNewTokens: 5, stop: [] }),
    ]);
    expect([[...one], [...three]]).toEqual([[...alone], [...alone]]);
    expect(two.logits?.data).toEqual((await model.forward(ids)).logits?.data);
  });

  describe('padding', () => {
    const [long, short] = [ids, ids.slice(0, 7)];
    test.each([
      [
        'on the left',
        [5, 5, 5, 5, ...short.slice(0, 4)],
        { attentionMask: [Array(8).fill(1), [0, 0, 0, 0, 1, 1, 1, 1]] },
      ],
      ['on the right, of a ragged batch', short.slice(0, 4), {}],
    ])('%s is remembered', async (_, row, options) => {
      const cache = model.createCache({ batch: 2 });
      await model.forward([long.slice(0, 8), row], { cache, ...options });
      for (const n of [0, 1, 2]) {
        const { logits } = await model.forward([[long[8 + n] as number], [short[4 + n] as number]], { cache });
        for (const [b, text] of [long.slice(0, 9 + n), short.slice(0, 5 + n)].entries()) {
          const want = family.exact(text).logits;
          const [got, last] = [logits?.data.subarray(b * 31, (b + 1) * 31) as Float32Array, want.data.slice(-31)];
          expectClose({ data: got, shape: [31] }, { data: last, shape: [31] }, near(want));
        }
      }
      cache.dispose();
    });
    test('of a prompt is not counted', async () => {
      const alone = await model.generate(ids, { maxNewTokens: 5, stop: [] });
      const attentionMask = [0, 0, ...ids.map(() => 1)];
      const got = await model.generate([5, 5, ...ids], { maxNewTokens: 5, stop: [], attentionMask });
      expect([...got]).toEqual([...alone]);
    });
  });
});
