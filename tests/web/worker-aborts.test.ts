import {
  type Attention,
  AttentionError,
  createAttention,
  masks,
  type TensorLike,
  transformerEncoder,
} from 'attention-wasm';
import { type AsyncAttention, type AsyncKvCache, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as create from '../../dist/load/create.js';
import { PartedEngine } from '../../dist/worker/parted-engine.js';
import { Random, seed } from './random.ts';
import { workSince } from './work.ts';

const random = new Random(seed);
const f32 = (...shape: number[]) => random.tensor(shape);
let there: AsyncAttention;

beforeAll(async () => {
  console.log(`seed ${seed}`);
  there = await createAttentionWorker({ variant: 'simd', threads: 1 });
});
afterAll(() => there?.dispose());

type Progress = (done: number, total: number) => void;
type Call = (options: { signal: AbortSignal; onProgress: Progress }) => Promise<unknown>;

/** A call of seconds is aborted after a quarter of its work; resolves with the milliseconds that processors worked until the worker was free. */
async function aborted(call: Call) {
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error('changed my mind');
  const settled: unknown[] = [];
  let done: Promise<unknown> | undefined;
  await new Promise<void>((resolve) => {
    const onProgress: Progress = (done, total) => done >= total / 4 && resolve();
    done = call({ signal, onProgress }).then(
      () => settled.push('it came to its end'),
      (error: unknown) => settled.push(error),
    );
  });
  expect(settled).toEqual([]);
  const began = process.cpuUsage();
  controller.abort(reason);
  for (let turn = 0; turn < 10; turn++) await undefined;
  expect(settled).toHaveLength(1); // at once: before any message can have come
  await done;
  await there.zeros([1]);
  const work = workSince(began);
  const [error] = settled;
  expect(error).toBeInstanceOf(AttentionError);
  expect([(error as AttentionError).code, (error as AttentionError).cause]).toEqual(['ABORTED', reason]);
  return work;
}

describe('a long call that is aborted', () => {
  const long = f32(1, 8, 4000, 64);
  const wide = { query: f32(512, 512), key: f32(512, 512), value: f32(512, 512), output: f32(512, 512) };
  const calls: Record<string, Call> = {
    attention: (options) => there.scaledDotProductAttention(long, long, long, options),
    'attention under a mask': (options) =>
      there.scaledDotProductAttention(long, long, long, { ...options, mask: masks.slidingWindow(5000, 0) }),
    map: (options) => there.attentionMap(long, long, options),
    projections: (options) => there.selfAttention(f32(1, 8000, 512), wide, { ...options, numHeads: 8 }),
    'packed sequences': (options) =>
      there.variableLengthAttention(f32(4000, 8, 64), f32(4000, 8, 64), f32(4000, 8, 64), {
        ...options,
        cuSeqlensQ: [0, 4000],
        cuSeqlensKv: [0, 4000],
      }),
  };

  test.each(Object.entries(calls))('%s: rejects at once, and the worker is free again', async (_, call) => {
    // Work and not time, for other programs have the processors as well. What is promised is 50 ms; the calls take 500 to 2,000.
    expect(await aborted(call)).toBeLessThan(300);
  });

  test('leaves tensors as they were', async () => {
    const out = await there.tensor({ data: new Float32Array(8 * 4000 * 64).fill(3), shape: [1, 8, 4000, 64] });
    await aborted((options) => there.scaledDotProductAttention(long, long, long, { ...options, out: out as never }));
    expect(new Set((await out.read()).data)).toEqual(new Set([3]));
    out.dispose();
  });

  test('leaves a cache as it was', async () => {
    const cache = await there.kvCache({ numKvHeads: 8, headDim: 64, capacity: 10_000 });
    const head = [f32(1, 8, 100, 64), f32(1, 8, 100, 64)] as const;
    await cache.append(...head);
    const [bytes, size] = [await cache.toBytes(), cache.byteLength];
    await aborted((options) => cache.attend(long, long, long, options));
    expect([cache.length, cache.byteLength]).toEqual([100, size]);
    expect(await cache.toBytes()).toEqual(bytes);
    cache.dispose();
  });

  test('before it began, or before it was made', async () => {
    const controller = new AbortController();
    const first = there.scaledDotProductAttention(long, long, long);
    const second = there.scaledDotProductAttention(long, long, long, { signal: controller.signal });
    controller.abort('no');
    await expect(second).rejects.toMatchObject({ code: 'ABORTED', cause: 'no' });
    const third = there.scaledDotProductAttention(long, long, long, { signal: controller.signal });
    await expect(third).rejects.toMatchObject({ code: 'ABORTED', cause: 'no' });
    expect((await first).output.shape).toEqual([1, 8, 4000, 64]);
  });
});

/** Aborted just before its end, at it, and just after. */
describe('an abort that is nearly too late', () => {
  const [B, H, S, D] = [1, 4, 500, 32];
  const x = f32(B, H, S, D);
  const few = f32(B, H, 3, D);

  /** Makes the call again and again; after each ABORTED, and only then, `isAsBefore` must hold. */
  async function sweep(call: (signal: AbortSignal) => Promise<unknown>, isAsBefore: () => Promise<boolean>) {
    const began = performance.now();
    await call(new AbortController().signal);
    let wait = performance.now() - began;
    expect(await isAsBefore()).toBe(false);
    const seen = { aborted: 0, ended: 0, changed: 0, notChanged: 0 };
    for (let n = 0; n < 80; n++) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), random.unit() * 1.6 * wait);
      const ended = await call(controller.signal).then(
        () => true,
        (error) => {
          expect(error).toMatchObject({ code: 'ABORTED' });
          return false;
        },
      );
      seen[ended ? 'ended' : 'aborted']++;
      // Follows the end of the call, wherever other programs move it.
      wait *= ended ? 1 / 1.1 : 1.1;
      const isSame = await isAsBefore();
      if (ended && isSame) seen.notChanged++;
      if (!ended && !isSame) seen.changed++;
    }
    expect([seen.changed, seen.notChanged]).toEqual([0, 0]);
    expect(Math.min(seen.aborted, seen.ended), JSON.stringify(seen)).toBeGreaterThan(0);
  }

  test.each(['append', 'attend'] as const)('%s leaves the cache as it was', async (method) => {
    const cache = await there.kvCache({ numKvHeads: H, headDim: D, capacity: 100 * S, window: 3 * S });
    await cache.append(few, few);
    let held = await cache.toBytes();
    const call = (signal: AbortSignal) =>
      method === 'append' ? cache.append(x, x, { signal }) : cache.attend(x, x, x, { signal });
    await sweep(call, async () => {
      const now = await cache.toBytes();
      const isSame = Buffer.compare(now, held) === 0;
      held = now;
      return isSame;
    });
    cache.dispose();
  });

  test('the tensor that results go to is as it was', async () => {
    const out = await there.tensor({ data: new Float32Array(S * H * D).fill(3), shape: [B, H, S, D] });
    let held = await out.read();
    await sweep(
      (signal) => there.scaledDotProductAttention(f32(B, H, S, D), x, x, { signal, out: out as never }),
      async () => {
        const now = await out.read();
        const isSame = now.data.every((value, at) => value === held.data[at]);
        held = now;
        return isSame;
      },
    );
    out.dispose();
  });
});

test('messages are looked at between calls that are short', async () => {
  const { createOver } = create as unknown as { createOver(kind: object, options: object): Promise<Attention> };
  const attention = await createOver(PartedEngine, { variant: 'simd' });
  const heads = { 'self_attn.in_proj_weight': f32(24, 8), 'self_attn.out_proj.weight': f32(8, 8) };
  const norms = { 'norm1.weight': f32(8), 'norm2.weight': f32(8) };
  const layer = { ...heads, 'linear1.weight': f32(8, 8), 'linear2.weight': f32(8, 8), ...norms };
  const layers = [0, 1, 2, 3, 4, 5, 6, 7].map((n) =>
    Object.entries(layer).map(([name, tensor]) => [`layers.${n}.${name}`, tensor] as const),
  );
  const encoder = transformerEncoder(attention, { numHeads: 1 }, Object.fromEntries(layers.flat()));
  // A clock that goes with each look at it: every call is one part, and takes 2 ms or 3.
  let clock = 0;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => ++clock);
  const { engine } = attention as unknown as { engine: PartedEngine };
  const abortOne = async (x: TensorLike) => {
    const controller = new AbortController();
    engine.watch = { signal: controller.signal, progress: () => {} };
    setImmediate(() => controller.abort());
    await expect(encoder.forward(x)).rejects.toMatchObject({ code: 'ABORTED' });
  };
  try {
    await abortOne(f32(1, 8)); // one part a call
    const x = f32(2000, 8);
    await abortOne(x);
    const settled = attention.info.memoryBytes;
    for (let n = 0; n < 100; n++) await abortOne(x); // each works in 200 kB
    expect(attention.info.memoryBytes).toBe(settled);
  } finally {
    now.mockRestore();
    engine.watch = undefined;
  }
  expect(encoder.forward(f32(1, 8)).output.shape).toEqual([1, 8]);
  attention.dispose();
});

test('getters that abort, or that end the line, are too late for nothing', async () => {
  const worker = await createAttentionWorker({ variant: 'simd', threads: 1 });
  const controller = new AbortController();
  const doing = (what: () => void) => ({
    get data() {
      what();
      return new Float32Array(4);
    },
    shape: [4],
  });
  const { signal } = controller;
  await expect(
    worker.tensor(
      doing(() => controller.abort()),
      { signal },
    ),
  ).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(worker.tensor(doing(() => worker.dispose()))).rejects.toMatchObject({ code: 'DISPOSED' });
});

test('what onProgress throws ends the call, and no more', async () => {
  const thrown = new Error('mine');
  const onProgress = () => {
    throw thrown;
  };
  const x = f32(1, 4, 3000, 64);
  await expect(there.scaledDotProductAttention(x, x, x, { onProgress })).rejects.toBe(thrown);
  const cache = await there.kvCache({ numKvHeads: 4, headDim: 64, capacity: 9000 });
  await expect(cache.append(x, x, { onProgress })).rejects.toBe(thrown);
  await there.zeros([1]);
  expect(cache.length).toBe(0);
  cache.dispose();
  expect((await there.zeros([2])).shape).toEqual([2]);
});

describe('progress', () => {
  test('never falls, and ends with all', async () => {
    const x = f32(1, 4, 3000, 64);
    const reports: [number, number][] = [];
    await there.scaledDotProductAttention(x, x, x, { onProgress: (...report) => reports.push(report) });
    expect(reports.length).toBeGreaterThan(3);
    reports.forEach(([done, total], i) => {
      expect(done).toBeGreaterThanOrEqual(reports[i - 1]?.[0] ?? 1);
      expect(total).toBe(reports[0]?.[1]);
    });
    const [done, total] = reports.at(-1) as [number, number];
    expect(done).toBe(total);
  });

  test('of a call that is short', async () => {
    const reports: number[][] = [];
    const onProgress = (...report: number[]) => reports.push(report);
    await (await there.tensor(f32(3), { onProgress })).read({ onProgress });
    expect(reports).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});

test('a thousand calls with aborts at random', async () => {
  const here = await createAttention({ variant: 'simd' });
  const config = { numKvHeads: 2, headDim: 16, capacity: 5000 };
  const ours = here.kvCache(config);
  const theirs: AsyncKvCache = await there.kvCache(config);
  const sizes = { small: 20, large: 700 };
  const results = { right: 0, aborted: 0 };

  /** What the call resolves with; undefined where it was aborted. */
  const ended = async <T>(promise: Promise<T>): Promise<T | undefined> => {
    try {
      return await promise;
    } catch (error) {
      expect((error as AttentionError).code).toBe('ABORTED');
      results.aborted++;
      return undefined;
    }
  };
  const check = (got: unknown, want: () => unknown) => {
    if (got === undefined) return;
    expect(got).toEqual(want());
    results.right++;
  };

  const under: Promise<void>[] = [];
  for (let i = 0; i < 1000; i++) {
    const controller = new AbortController();
    const { signal } = controller;
    const S = random.chance(0.2) ? sizes.large : sizes.small;
    const [q, k, v] = [f32(1, 4, S, 16), f32(1, 2, S, 16), f32(1, 2, S, 16)];
    const isAborted = random.chance(0.5);
    const abort = () =>
      random.chance(0.5) ? controller.abort() : setTimeout(() => controller.abort(), random.integer(0, 2));
    const kind = random.integer(0, 3);
    if (kind === 0) {
      const call = ended(there.scaledDotProductAttention(q, k, v, { signal, causal: true }));
      under.push(call.then((got) => check(got, () => here.scaledDotProductAttention(q, k, v, { causal: true }))));
    } else if (kind === 1) {
      const call = ended(there.attentionMap(q, k, { signal, size: [4, 4] }));
      under.push(call.then((got) => check(got, () => here.attentionMap(q, k, { size: [4, 4] }))));
    } else if (kind === 2) {
      const call = ended(there.linearAttention(q, k, v, { signal }));
      under.push(call.then((got) => check(got, () => here.linearAttention(q, k, v))));
    } else {
      // A cache that an abort left alone goes on as if the call had never been.
      const few = [f32(1, 4, 3, 16), f32(1, 2, 3, 16), f32(1, 2, 3, 16)] as const;
      await Promise.all(under.splice(0));
      const before = theirs.length;
      const call = ended(theirs.attend(...few, { signal }));
      if (isAborted) abort();
      const got = await call;
      await there.zeros([1]);
      if (got === undefined && theirs.length === before) continue;
      const want = ours.attend(...few);
      if (got !== undefined) expect(got).toEqual(want);
      expect(theirs.length).toBe(ours.length);
      continue;
    }
    if (isAborted) abort();
    if (under.length > 8) await Promise.all(under.splice(0));
  }
  await Promise.all(under);
  const x = f32(1, 4, 100, 16);
  expect(await there.scaledDotProductAttention(x, x, x)).toEqual(here.scaledDotProductAttention(x, x, x));
  expect(await theirs.toBytes()).toEqual(ours.toBytes());
  console.log(`${results.right} right, ${results.aborted} aborted`);
  expect(Math.min(results.right, results.aborted)).toBeGreaterThan(100);
  here.dispose();
});
