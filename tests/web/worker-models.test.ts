import { type Attention, createAttention, masks } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decoders, encoder } from './families.ts';
import { Random } from './random.ts';
import { refusal, rejection } from './refusals.ts';
import * as marian from './synthetic-marian.ts';
import * as vit from './synthetic-vit.ts';

/** Models here and in a worker: equal to the bit. */
let here: Attention;
let there: AsyncAttention;
beforeAll(async () => {
  [here, there] = await Promise.all([
    createAttention({ variant: 'simd' }),
    createAttentionWorker({ variant: 'simd', threads: 1 }),
  ]);
});
afterAll(() => {
  here?.dispose();
  there?.dispose();
});

async function both(config: { model_type: string }, tensors: Record<string, unknown>): Promise<[Model, Model]> {
  const files = { config, tensors } as never;
  return [createModel(here, files), await there.createModel(files)];
}
const facts = ({ type, layers, heads, kvHeads, embedSize, maxLength, byteLength }: Model) => ({
  type,
  layers,
  heads,
  kvHeads,
  embedSize,
  maxLength,
  byteLength,
});
const ids = [3, 0, 28, 7, 7, 14, 1, 22];
const everything = { attention: true, hiddenStates: true, projections: true } as const;

describe.each([encoder, ...decoders])('$name', ({ config, tensors }) => {
  let ours: Model;
  let theirs: Model;
  beforeAll(async () => {
    [ours, theirs] = await both(config, tensors);
  });

  test('says what it is, and gives the same', async () => {
    expect(facts(theirs)).toEqual(facts(ours));
    expect(await theirs.forward(ids, everything)).toEqual(await ours.forward(ids, everything));
    expect((await theirs.forward(ids)).attentions).toBeUndefined();
    expect(await theirs.embed([ids, [1, 2]])).toEqual(await ours.embed([ids, [1, 2]]));
  });

  test('masks of each layer, ablated heads, a callback for each layer', async () => {
    const mask = [masks.causal(), null, masks.fromFunction((_b, _h, i, j) => i !== j + 1)];
    const told: number[][] = [];
    const options = { ...everything, mask, ablateHeads: [[1, 0]], onLayer: (...layer: number[]) => told.push(layer) };
    const got = await theirs.forward(ids, options as never);
    expect(told).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ]);
    expect(got).toEqual(await ours.forward(ids, { ...options, onLayer: undefined } as never));
  });

  test('refuses what the model here refuses', async () => {
    const wrong = [
      [[99], {}],
      [ids, { attention: { layers: [9] } }],
      [ids, { pooling: 'mean' }],
      [ids, { signal: 3 }],
      [ids, { cache: 3 }],
      [ids, 3],
    ] as [never, never][];
    for (const [input, options] of wrong) {
      const [a, b] = [await rejection(ours.forward(input, options)), await rejection(theirs.forward(input, options))];
      expect([b.code, b.argument, b.message]).toEqual([a.code, a.argument, a.message]);
    }
  });
});

describe.each(decoders)('$name decodes', ({ config, tensors }) => {
  let ours: Model;
  let theirs: Model;
  beforeAll(async () => {
    [ours, theirs] = await both(config, tensors);
  });

  test('with a cache, truncated and forked at once', async () => {
    const [a, b] = [ours.createCache(), theirs.createCache()];
    expect(b.length).toBe(0);
    expect(await theirs.forward(ids, { cache: b })).toEqual(await ours.forward(ids, { cache: a }));
    expect([b.length, b.byteLength]).toEqual([a.length, a.byteLength]);
    const [aFork, bFork] = [a.fork(), b.fork()];
    for (const cache of [a, b]) cache.truncate(3);
    expect([b.length, bFork.length]).toEqual([3, 8]);
    expect(await theirs.forward([5, 6], { cache: b })).toEqual(await ours.forward([5, 6], { cache: a }));
    expect(await theirs.forward([5, 6], { cache: bFork })).toEqual(await ours.forward([5, 6], { cache: aFork }));
    const wrong = [-1, 1.5, 99].map((length) => [refusal(() => a.truncate(length)), refusal(() => b.truncate(length))]);
    for (const [x, y] of wrong) expect([y?.code, y?.argument]).toEqual([x?.code, x?.argument]);
    b.clear();
    expect(b.length).toBe(0);
    b.dispose();
    expect((await rejection(theirs.forward(ids, { cache: b }))).code).toBe('DISPOSED');
  });

  test('what a cache cannot be is refused at once; what the worker finds later is told by the next call', async () => {
    for (const options of [{ capacity: 0 }, { capacities: 3 }, { sinkTokens: 2 }, { dtype: 'int4' }] as never[]) {
      const [a, b] = [refusal(() => ours.createCache(options)), refusal(() => theirs.createCache(options))];
      expect([b.code, b.argument, b.message]).toEqual([a.code, a.argument, a.message]);
    }
    const cache = theirs.createCache({ window: 4 });
    await theirs.forward(ids, { cache });
    cache.truncate(2); // evicted
    expect((await rejection(theirs.forward([1], { cache }))).argument).toBe('length');
  });

  test('text, with what is said of each token', async () => {
    const run = async (model: Model) => {
      const tokens: unknown[] = [];
      const onToken = async (token: { id: number }) => {
        await undefined;
        tokens.push(token);
        return tokens.length < 5;
      };
      const options = { maxNewTokens: 9, attention: true, stop: [], temperature: 1, seed: 3, onToken } as const;
      return { all: await model.generate([3, 4], options), tokens };
    };
    const [a, b] = [await run(ours), await run(theirs)];
    expect(b).toEqual(a);
    expect(b.tokens.length).toBe(5);
  });

  test('until it is aborted, and the cache is as before', async () => {
    const cache = theirs.createCache();
    await theirs.forward([1, 2], { cache });
    const controller = new AbortController();
    const onToken = () => controller.abort('enough');
    const call = theirs.generate([3], { maxNewTokens: 9, stop: [], cache, signal: controller.signal, onToken });
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    await theirs.forward([1]);
    expect(cache.length).toBe(2);
    const thrown = new Error('mine');
    const throwing = { maxNewTokens: 3, stop: [], onToken: () => Promise.reject(thrown) };
    await expect(theirs.generate([3], throwing)).rejects.toBe(thrown);
  });

  test('until it is aborted while a callback waits, here and there', async () => {
    for (const model of [ours, theirs]) {
      const controller = new AbortController();
      const onToken = () => {
        setTimeout(() => controller.abort('enough'));
        return new Promise<never>(() => {});
      };
      const call = model.generate([3], { maxNewTokens: 9, stop: [], signal: controller.signal, onToken });
      await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
      expect((await model.forward([1])).lastHiddenState.shape[1]).toBe(1);
    }
  });

  test('a cache that is truncated right after an abort is as long as that', async () => {
    const cache = theirs.createCache();
    await theirs.forward([1, 2, 3, 4, 5], { cache });
    const controller = new AbortController();
    const call = theirs.forward([1, 2], { cache, signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
    cache.truncate(2);
    await theirs.forward([1]);
    expect(cache.length).toBe(2);
    await theirs.forward([1], { cache });
    expect(cache.length).toBe(3);
    const under = theirs.forward([1], { cache });
    expect(refusal(() => cache.fork()).argument).toBe('cache');
    await under;
    expect(cache.fork().length).toBe(4);
  });

  test('a cache that was cleared holds nothing', async () => {
    const cache = theirs.createCache();
    await theirs.forward(ids, { cache });
    expect(cache.byteLength).toBeGreaterThan(0);
    cache.clear();
    expect([cache.length, cache.byteLength]).toEqual([0, 0]);
    await theirs.forward([1], { cache });
    expect(cache.length).toBe(1);
  });
});

test('an encoder-decoder and one that sees', async () => {
  const [ours, theirs] = await both(marian.config, marian.weights());
  const options = { ...everything, decoderIds: [marian.start, 4, 5] } as const;
  expect(await theirs.forward([5, 6, 7], options)).toEqual(await ours.forward([5, 6, 7], options));
  const [eye, eyes] = await both(vit.config, vit.weights());
  const picture = vit.picture(3, 2);
  expect(await eyes.forward(picture, everything)).toEqual(await eye.forward(picture, everything));
});

test('of a file that is moved, in int8, with progress', async () => {
  const { inFile, weights, config } = await import('./synthetic-bert.ts');
  const file = inFile(weights());
  const reports: number[][] = [];
  const call = {
    transfer: true,
    weights: 'int8',
    onProgress: (...report: number[]) => reports.push(report),
  } as const;
  const ours = createModel(here, { config, tensors: file.slice() }, { weights: 'int8' });
  const theirs = await there.createModel({ config, tensors: file }, call);
  expect(file.length).toBe(0);
  expect(reports.at(-1)?.[0]).toBe(reports.at(-1)?.[1]);
  expect(await theirs.forward(ids)).toEqual(await ours.forward(ids));
  theirs.dispose();
  expect((await rejection(theirs.forward(ids))).code).toBe('DISPOSED');
  const broken = await rejection(there.createModel({ config, tensors: {} }));
  expect([broken.code, broken.argument]).toEqual(['INVALID_ARGUMENT', 'files.tensors']);
});

test('being made is aborted', async () => {
  const random = new Random(3);
  const { config, weights } = await import('./synthetic-bert.ts');
  const large = { ...config, vocab_size: 60_000 };
  const word = random.tensor([60_000, Number(config.hidden_size)]);
  const tensors = { ...weights(), 'embeddings.word_embeddings.weight': word };
  const controller = new AbortController();
  const told: number[] = [];
  const onProgress = (done: number, total: number) => {
    told.push(done / total);
    controller.abort('no');
  };
  const call = there.createModel({ config: large, tensors }, { signal: controller.signal, onProgress });
  await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: 'no' });
  expect(told[0]).toBeLessThan(1);
  const model = await there.createModel({ config, tensors: weights() });
  expect((await model.forward([1])).lastHiddenState.shape).toEqual([1, 1, config.hidden_size]);
});
