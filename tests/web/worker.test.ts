import { Worker } from 'node:worker_threads';
import {
  type Attention,
  createAttention,
  masks,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from 'attention-wasm';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random, seed } from './random.ts';
import { rejection } from './refusals.ts';

/** The same calls here and in a worker: both engines are of one variant, so that their results are the same to the bit. */
const random = new Random(seed);
const f32 = (...shape: number[]) => random.tensor(shape);
let here: Attention;
let there: AsyncAttention;

beforeAll(async () => {
  console.log(`seed ${seed}`);
  [here, there] = await Promise.all([
    createAttention({ variant: 'simd' }),
    createAttentionWorker({ variant: 'simd', threads: 1 }),
  ]);
});
afterAll(() => {
  here?.dispose();
  there?.dispose();
});

describe('functions', () => {
  const [q, k, v] = [f32(2, 4, 30, 8), f32(2, 2, 40, 8), f32(2, 2, 40, 6)];
  const weights = () => ({ query: f32(16, 12), key: f32(16, 12), value: f32(16, 12), output: f32(12, 16) });

  test('attention, with all that it gives beside the output', async () => {
    const options = { causal: 'lower-right', weights: 'biased', logSumExp: true, softcap: 5 } as const;
    const got = await there.scaledDotProductAttention(q, k, v, options);
    expect(got).toEqual(here.scaledDotProductAttention(q, k, v, options));
    expect(got.output.data).toBeInstanceOf(Float32Array);
    expect((await there.scaledDotProductAttention(q, k, v)).weights).toBeUndefined();
  });

  test('packed sequences, a map, linear attention', async () => {
    const packed = [f32(9, 2, 4), f32(7, 2, 4), f32(7, 2, 4)] as const;
    const lists = { cuSeqlensQ: [0, 4, 9], cuSeqlensKv: Int32Array.of(0, 7, 7) };
    expect(await there.variableLengthAttention(...packed, lists)).toEqual(
      here.variableLengthAttention(...packed, lists),
    );
    const options = { size: [7, 5], pool: 'mean', rows: [3, 20] } as const;
    expect(await there.attentionMap(q, k, options)).toEqual(here.attentionMap(q, k, options));
    expect(await there.linearAttention(q, k, v, { causal: true })).toEqual(
      here.linearAttention(q, k, v, { causal: true }),
    );
  });

  test('projections', async () => {
    const [x, context, projections] = [f32(2, 5, 12), f32(2, 7, 12), weights()];
    const options = { numHeads: 2, weights: true } as const;
    expect(await there.selfAttention(x, projections, options)).toEqual(here.selfAttention(x, projections, options));
    expect(await there.crossAttention(x, context, projections, options)).toEqual(
      here.crossAttention(x, context, projections, options),
    );
  });

  test('a multi-head layer, its arguments short and long, with a cache', async () => {
    const config = { embedDim: 12, numHeads: 3 };
    const state = { in_proj_weight: f32(36, 12), 'out_proj.weight': f32(12, 12) };
    const [ours, theirs] = [here.multiHeadAttention(config, state), await there.multiHeadAttention(config, state)];
    const [x, y] = [f32(2, 5, 12), f32(2, 6, 12)];
    expect(await theirs.forward(x)).toEqual(ours.forward(x));
    expect(await theirs.forward(x, { causal: true })).toEqual(ours.forward(x, { causal: true }));
    const average = { weights: true, averageWeights: true } as const;
    expect(await theirs.forward(x, y, undefined, average)).toEqual(ours.forward(x, y, undefined, average));
    const sizes = { batch: 2, numKvHeads: 3, headDim: 4, capacity: 20 };
    const [ourCache, theirCache] = [here.kvCache(sizes), await there.kvCache(sizes)];
    for (let step = 0; step < 2; step++) {
      expect(await theirs.forward(x, { cache: theirCache })).toEqual(ours.forward(x, { cache: ourCache }));
    }
    expect(theirCache.length).toBe(10);
    theirs.dispose();
    expect((await rejection(theirs.forward(x))).code).toBe('DISPOSED');
  });

  test("torch's transformers, with maps, masks of every kind, and a place for the output", async () => {
    const config = { numHeads: 3, normFirst: true, activation: 'gelu' } as const;
    const heads = (name: string) => ({
      [`${name}.in_proj_weight`]: f32(36, 12),
      [`${name}.out_proj.weight`]: f32(12, 12),
    });
    const norms = (...names: string[]) => Object.fromEntries(names.map((name) => [`${name}.weight`, f32(12)]));
    const linear = { 'linear1.weight': f32(20, 12), 'linear2.weight': f32(12, 20) };
    const encoder = { ...heads('self_attn'), ...linear, ...norms('norm1', 'norm2') };
    const decoder = { ...encoder, ...heads('multihead_attn'), ...norms('norm3') };
    const stack = (layer: object) =>
      Object.fromEntries([0, 1].flatMap((n) => Object.entries(layer).map(([name, w]) => [`layers.${n}.${name}`, w])));
    const [x, memory] = [f32(2, 5, 12), f32(2, 7, 12)];
    const mask = masks.fromFunction((b, h, i, j) => (b + h + i * j) % 3 !== 0);
    const own = { mask, attentionMask: { data: Int32Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1, 1), shape: [2, 5] } };
    const both = { ...own, memoryMask: masks.slidingWindow(3, 3), causal: true, weights: true } as const;

    const encoders = [
      [transformerEncoderLayer(here, config, encoder), await there.transformerEncoderLayer(config, encoder)],
      [transformerEncoder(here, config, stack(encoder)), await there.transformerEncoder(config, stack(encoder))],
    ] as const;
    for (const [ours, theirs] of encoders) {
      expect(await theirs.forward(x)).toEqual(ours.forward(x));
      expect(await theirs.forward(x, { ...own, weights: true })).toEqual(ours.forward(x, { ...own, weights: true }));
      const out = await there.zeros([2, 5, 12]);
      expect((await theirs.forward(x, { ...own, out })).output).toBe(out);
      expect(await out.read()).toEqual(ours.forward(x, own).output);
      out.dispose();
      theirs.dispose();
      expect((await rejection(theirs.forward(x))).code).toBe('DISPOSED');
    }
    const decoders = [
      [transformerDecoderLayer(here, config, decoder), await there.transformerDecoderLayer(config, decoder)],
      [transformerDecoder(here, config, stack(decoder)), await there.transformerDecoder(config, stack(decoder))],
    ] as const;
    for (const [ours, theirs] of decoders) {
      expect(await theirs.forward(x, memory)).toEqual(ours.forward(x, memory));
      expect(await theirs.forward(x, memory, both)).toEqual(ours.forward(x, memory, both));
      const wrong = await rejection(theirs.forward(x, memory, { memoryMask: f32(4, 7) }));
      expect([wrong.code, wrong.argument]).toEqual(['SHAPE_MISMATCH', 'options.memoryMask']);
      expect((await rejection(theirs.forward(x, undefined as never))).argument).toBe('memory');
      const progress = await rejection(theirs.forward(x, memory, { onProgress: () => {} } as never));
      expect([progress.code, progress.argument]).toEqual(['INVALID_ARGUMENT', 'options.onProgress']);
      expect(await theirs.forward(x, memory)).toEqual(ours.forward(x, memory));
      theirs.dispose();
    }
    const missing = await rejection(there.transformerEncoder(config, encoder));
    expect([missing.code, missing.argument]).toEqual(['INVALID_ARGUMENT', 'stateDict']);
  });

  test('every kind of mask, a rule of the caller among them', async () => {
    const asked: number[][] = [];
    const rule = (b: number, h: number, i: number, j: number) => {
      asked.push([b, h, i, j]);
      return (b + h + i * j) % 3 !== 0;
    };
    const window = masks.slidingWindow(5, 2).or(masks.globalTokens([0]));
    for (const mask of [masks.causal(), window, window.not(), masks.fromFunction(rule).and(masks.causal())]) {
      expect(await there.scaledDotProductAttention(q, k, v, { mask })).toEqual(
        here.scaledDotProductAttention(q, k, v, { mask }),
      );
    }
    expect(asked.length).toBeGreaterThan(0);
    const dense = { data: Uint8Array.from({ length: 1200 }, (_, i) => i % 2), shape: [30, 40], dtype: 'bool' } as const;
    expect(await there.scaledDotProductAttention(q, k, v, { mask: dense })).toEqual(
      here.scaledDotProductAttention(q, k, v, { mask: dense }),
    );
  });

  test('what a rule throws passes through, and the engine works on', async () => {
    const thrown = new RangeError('mine');
    const mask = masks.fromFunction(() => {
      throw thrown;
    });
    await expect(there.scaledDotProductAttention(q, k, v, { mask })).rejects.toBe(thrown);
    await expect(there.scaledDotProductAttention(q, k, v, { mask })).rejects.toBe(thrown);
    const error = await rejection(there.scaledDotProductAttention(q, k, v, { mask: masks.documents([1, 2]) }));
    expect([error.code, error.argument]).toEqual(['SHAPE_MISMATCH', 'options.mask']);
    expect(await there.scaledDotProductAttention(q, k, v)).toEqual(here.scaledDotProductAttention(q, k, v));
  });
});

describe('tensors', () => {
  test('stay in the worker, are read, and take results', async () => {
    const data = f32(3, 5, 8);
    const tensor = await there.tensor(data);
    expect([tensor.shape, tensor.dims, tensor.dtype]).toEqual([[3, 5, 8], [3, 5, 8], 'float32']);
    expect(await tensor.read()).toEqual({ data: data.data, shape: data.shape, dims: data.shape });
    const out = await there.zeros([3, 5, 8]);
    const { output } = await there.scaledDotProductAttention(tensor, tensor, tensor, { out });
    expect(output).toBe(out);
    expect((await out.read()).data).toEqual(here.scaledDotProductAttention(data, data, data).output.data);
    for (const one of [tensor, out]) one.dispose();
  });

  test('of every element type', async () => {
    const shape = [2, 3];
    const kinds = [
      { data: Uint16Array.of(1, 2, 3, 4, 5, 6), dtype: 'float16' },
      { data: Int8Array.of(1, 2, 3, 4, 5, 6), dtype: 'int8' },
      { data: Int32Array.of(1, 2, 3, 4, 5, 6), dtype: 'int32' },
      { data: Uint8Array.of(1, 0, 1, 0, 1, 0), dtype: 'bool' },
    ] as const;
    for (const { data, dtype } of kinds) {
      const tensor = await there.tensor({ data, shape, dtype });
      expect([tensor.dtype, (await tensor.read()).data]).toEqual([dtype, data]);
      tensor.dispose();
    }
  });

  test('that were disposed, or are of another worker, are refused by the name of the argument', async () => {
    const other = await createAttentionWorker({ threads: 1 });
    const [gone, foreign, mine] = [await there.tensor(f32(4, 8)), await other.tensor(f32(4, 8)), f32(4, 8)];
    gone.dispose();
    gone.dispose();
    const first = await rejection(there.scaledDotProductAttention(mine, gone, mine));
    expect([first.code, first.argument]).toEqual(['DISPOSED', 'k']);
    const second = await rejection(there.scaledDotProductAttention(mine, mine, foreign));
    expect([second.code, second.argument]).toEqual(['INVALID_ARGUMENT', 'v']);
    expect((await rejection(gone.read())).code).toBe('DISPOSED');
    other.dispose();
  });

  test('give their memory back', async () => {
    const size = 2 ** 20;
    await (await there.tensor(f32(size))).read();
    const before = there.info.memoryBytes;
    for (let i = 0; i < 30; i++) (await there.tensor({ data: new Float32Array(size), shape: [size] })).dispose();
    expect(there.info.memoryBytes - before).toBeLessThanOrEqual(3 * 4 * size);
  });

  test('arrays are copied no further than they are seen, or moved', async () => {
    const large = new Float32Array(1000).fill(7);
    const part = { data: large.subarray(10, 14), shape: [4] };
    const tensor = await there.tensor(part);
    expect((await tensor.read()).data).toEqual(Float32Array.of(7, 7, 7, 7));
    expect(large.length).toBe(1000);
    const moved = { data: new Float32Array([1, 2, 3]), shape: [3] };
    const other = await there.tensor(moved, { transfer: true });
    expect(moved.data.length).toBe(0);
    expect((await other.read()).data).toEqual(Float32Array.of(1, 2, 3));
  });
});

describe('caches', () => {
  test('as here, step by step', async () => {
    const config = { numKvHeads: 2, headDim: 8, capacity: 64 };
    const [ours, theirs] = [here.kvCache(config), await there.kvCache(config)];
    const told = () => [theirs.length, theirs.capacity, theirs.byteLength];
    const same = () => expect(told()).toEqual([ours.length, ours.capacity, ours.byteLength]);
    same();
    const [k, v] = [f32(1, 2, 5, 8), f32(1, 2, 5, 8)];
    ours.append(k, v);
    await theirs.append(k, v);
    same();
    const [q, k2, v2] = [f32(1, 4, 3, 8), f32(1, 2, 3, 8), f32(1, 2, 3, 8)];
    expect(await theirs.attend(q, k2, v2, { weights: true })).toEqual(ours.attend(q, k2, v2, { weights: true }));
    same();
    const [ourFork, theirFork] = [ours.fork(), await theirs.fork()];
    ours.truncate(6);
    await theirs.truncate(6);
    same();
    expect(await theirFork.attend(q, null, null)).toEqual(ourFork.attend(q, null, null));
    const bytes = await theirs.toBytes();
    expect(bytes).toEqual(ours.toBytes());
    await theirs.clear();
    expect(theirs.length).toBe(0);
    await theirs.load(bytes);
    expect(theirs.length).toBe(6);
    const full = await rejection(theirs.append(f32(1, 2, 60, 8), f32(1, 2, 60, 8)));
    expect([full.code, full.argument, theirs.length]).toEqual(['CAPACITY_EXCEEDED', 'k', 6]);
    theirs.dispose();
    expect((await rejection(theirs.append(k, v))).code).toBe('DISPOSED');
    expect(theirFork.length).toBe(8);
  });
});

describe('order', () => {
  test('calls run one after another, as they were made', async () => {
    const config = { numKvHeads: 1, headDim: 4, capacity: 100 };
    const cache = await there.kvCache(config);
    const rows = Array.from({ length: 20 }, () => [f32(1, 1, 2, 4), f32(1, 1, 2, 4)] as const);
    const appended = rows.map(([k, v]) => cache.append(k, v));
    const all = cache.attend(f32(1, 1, 1, 4), null, null, { weights: true });
    await Promise.all(appended);
    expect((await all).weights?.shape).toEqual([1, 1, 1, 40]);
  });
});

describe('the end', () => {
  test('calls under way reject with DISPOSED, and so do later ones', async () => {
    const worker = await createAttentionWorker({ threads: 1 });
    const x = f32(2, 300, 16);
    const calls = Array.from({ length: 5 }, () => rejection(worker.scaledDotProductAttention(x, x, x)));
    worker.dispose();
    worker.dispose();
    for (const call of calls) expect((await call).code).toBe('DISPOSED');
    expect((await rejection(worker.scaledDotProductAttention(x, x, x))).code).toBe('DISPOSED');
    expect(worker.info.memoryBytes).toBe(0);
  });
});

describe('a worker that others end', () => {
  const entry = new URL('../../dist/worker-entry.js', import.meta.url);
  test('calls under way reject with DISPOSED, which says so, and so do later ones; another one works', async () => {
    let thread: Worker | undefined;
    const worker = () => {
      thread = new Worker(entry, { execArgv: [] });
      return thread;
    };
    const killed = await createAttentionWorker({ threads: 1, worker: worker as never });
    const x = f32(4, 1000, 32);
    const calls = Array.from({ length: 3 }, () => rejection(killed.scaledDotProductAttention(x, x, x)));
    await thread?.terminate();
    for (const call of [...calls, rejection(killed.zeros([2]))]) {
      const { code, message } = await call;
      expect([code, message]).toEqual(['DISPOSED', 'the worker is gone: it ended with exit code 1']);
    }
    killed.dispose();
    const next = await createAttentionWorker({ threads: 1 });
    expect((await next.scaledDotProductAttention(x, x, x)).output.shape).toEqual([4, 1000, 32]);
    next.dispose();
  });

  test('one that ends before it has started is LOAD_FAILED', async () => {
    const worker = () => new Worker('process.exit(3)', { eval: true });
    const error = await rejection(createAttentionWorker({ worker: worker as never }));
    expect([error.code, error.message]).toEqual(['LOAD_FAILED', 'could not start a worker: it ended with exit code 3']);
  });
});

describe('starting', () => {
  test('options are obeyed or refused as createAttention() does', async () => {
    const worker = await createAttentionWorker({ variant: 'simd-threads', threads: 2 });
    expect([worker.info.variant, worker.info.threads]).toEqual(['simd-threads', 2]);
    worker.dispose();
    const refused = [
      [{ threads: 0 }, 'INVALID_ARGUMENT', 'options.threads'],
      [{ variants: 'simd' }, 'INVALID_ARGUMENT', 'options.variants'],
      [{ worker: 3 }, 'INVALID_ARGUMENT', 'options.worker'],
      [{ wasm: 3 }, 'INVALID_ARGUMENT', 'options.wasm'],
      [{ wasm: new Uint8Array(10) }, 'LOAD_FAILED', undefined],
      [{ signal: 3 }, 'INVALID_ARGUMENT', 'options.signal'],
      [{ signal: AbortSignal.abort('enough') }, 'ABORTED', undefined],
    ] as const;
    for (const [options, code, argument] of refused) {
      const error = await rejection(createAttentionWorker(options as never));
      expect([error.code, error.argument], JSON.stringify(options)).toEqual([code, argument]);
    }
  });

  test('an abort right after the call, as a component that is unmounted makes it, starts no worker', async () => {
    const controller = new AbortController();
    let made = 0;
    const worker = () => {
      made++;
      return new Worker(new URL('../../dist/worker-entry.js', import.meta.url));
    };
    const starting = rejection(createAttentionWorker({ worker: worker as never, signal: controller.signal }));
    controller.abort('unmounted');
    const { code, cause } = await starting;
    expect([code, cause, made]).toEqual(['ABORTED', 'unmounted', 0]);
  });

  test('the signal of the start is of the start alone', async () => {
    const controller = new AbortController();
    const worker = await createAttentionWorker({ threads: 1, signal: controller.signal });
    controller.abort('too late');
    expect((await worker.zeros([2])).shape).toEqual([2]);
    worker.dispose();
  });

  test('a worker that cannot start is LOAD_FAILED', async () => {
    const worker = () => {
      throw new Error('no such thing');
    };
    const error = await rejection(createAttentionWorker({ worker }));
    expect([error.code, (error.cause as Error).message]).toEqual(['LOAD_FAILED', 'no such thing']);
  });
});
