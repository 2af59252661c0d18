import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import worker_threads from 'node:worker_threads';
import { type Attention, createAttention, type LoadOptions } from 'attention-wasm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Engine } from '../../dist/engine.js';
import { AttentionError } from '../../dist/errors.js';
import * as create from '../../dist/load/create.js';
import { expectClose } from './compare.ts';
import { attention as oracle } from './oracle/attention.ts';
import { Random } from './random.ts';

/** Internal, and so not in the declarations. */
const { createOver } = create as unknown as {
  createOver(engineClass: typeof Engine, options: LoadOptions): Promise<Attention>;
};
const random = new Random(31);
const x = random.tensor([4, 100, 16]);
const right = oracle(x, x, x, {}).output;

function works(engine: Attention): void {
  expectClose(engine.scaledDotProductAttention(x, x, x).output, right, 1e-5);
}
async function used(options: LoadOptions): Promise<Attention['info']> {
  const engine = await createAttention(options);
  works(engine);
  engine.dispose();
  return engine.info;
}
const plainModule = new URL('../../dist/attention-simd.wasm', import.meta.url);
const processors = Math.min(64, availableParallelism());

describe('how many threads', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
  const refused = (reason: RegExp) =>
    expect.objectContaining({
      code: 'UNSUPPORTED_ENGINE',
      argument: 'options.threads',
      message: expect.stringMatching(reason),
    });

  test('one by default', async () => {
    expect(await used({})).toMatchObject({ threads: 1, variant: 'relaxed-simd', threadsReason: undefined });
  });
  test('as many as asked for', async () => {
    expect(await used({ threads: 2 })).toMatchObject({ threads: 2, variant: 'relaxed-simd-threads' });
    expect(await used({ threads: 5, variant: 'simd-threads' })).toMatchObject({ threads: 5, variant: 'simd-threads' });
    expect(await used({ threads: 1 })).toMatchObject({ threads: 1, variant: 'relaxed-simd' });
    expect(await used({ threads: 2, deterministic: true })).toMatchObject({ threads: 2, variant: 'simd-threads' });
  });
  test('one for each processor, by auto or by the name of a variant', async () => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 3 });
    expect(await used({ threads: 'auto' })).toMatchObject({ threads: 3, variant: 'relaxed-simd-threads' });
    expect(await used({ variant: 'simd-threads' })).toMatchObject({ threads: 3, variant: 'simd-threads' });
    vi.stubGlobal('navigator', undefined);
    const { threads, threadsReason } = await used({ threads: 'auto' });
    expect([threads, threadsReason === undefined]).toEqual([processors, processors > 1]);
  });

  const places: [string, RegExp, () => unknown][] = [
    ['no SharedArrayBuffer', /Cross-Origin-Opener-Policy/, () => vi.stubGlobal('SharedArrayBuffer', undefined)],
    [
      'isolation, but no SharedArrayBuffer',
      /this engine has no SharedArrayBuffer/,
      () => {
        vi.stubGlobal('SharedArrayBuffer', undefined);
        vi.stubGlobal('crossOriginIsolated', true);
      },
    ],
    [
      'a thread that may not wait',
      /may not wait.*in a worker/,
      () =>
        vi.spyOn(Atomics, 'wait').mockImplementation(() => {
          throw new TypeError('Atomics.wait cannot be called in this context');
        }),
    ],
    [
      'no workers',
      /cannot start workers/,
      () => {
        vi.stubGlobal('Worker', undefined);
        vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
      },
    ],
  ];
  test.each(places)('%s: auto is one, and a number is refused', async (_, reason, take) => {
    const wasm = readFileSync(plainModule);
    take();
    const options = { wasm, variant: 'auto' } as const;
    expect(await used({ ...options, threads: 'auto' })).toMatchObject({
      threads: 1,
      variant: 'simd',
      threadsReason: expect.stringMatching(reason),
    });
    expect(await used({ ...options, threads: 1 })).toMatchObject({ threads: 1, threadsReason: undefined });
    await expect(createAttention({ threads: 2 })).rejects.toEqual(refused(reason));
    await expect(createAttention({ variant: 'simd-threads' })).rejects.toEqual(refused(reason));
  });
  test('one processor', async () => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 1 });
    expect(await used({ threads: 'auto' })).toMatchObject({
      threads: 1,
      threadsReason: expect.stringMatching(/one processor/),
    });
    await expect(createAttention({ variant: 'simd-threads' })).rejects.toEqual(refused(/one processor/));
    expect(await used({ threads: 2 })).toMatchObject({ threads: 2 });
  });
  test('a small memory', async () => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 8 });
    const room = (kilobytes: number) => used({ threads: 'auto', maximumMemoryBytes: (4 << 20) + (kilobytes << 10) });
    expect(await room(512)).toMatchObject({ threads: 3 });
    expect(await room(255)).toMatchObject({ threads: 1, threadsReason: expect.stringMatching(/maximumMemoryBytes/) });
  });
  test('a file of one thread, or of several', async () => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
    const reason = 'options.wasm is a module of one thread';
    for (const wasm of [readFileSync(plainModule), new Response(readFileSync(plainModule))])
      expect(await used({ threads: 'auto', wasm })).toMatchObject({
        threads: 1,
        variant: 'simd',
        threadsReason: reason,
      });
    const wasm = new URL('../../dist/attention-simd-threads.wasm', import.meta.url);
    expect(await used({ threads: 'auto', wasm })).toMatchObject({ threads: 2, variant: 'simd-threads' });
  });
  test('a variant of one thread', async () => {
    const info = await used({ threads: 'auto', variant: 'simd' });
    expect(info).toMatchObject({ threads: 1, variant: 'simd', threadsReason: "variant 'simd' has one thread" });
  });
});

describe('workers', () => {
  let running = new Set<worker_threads.Worker>();
  let started = 0;
  class Counted extends worker_threads.Worker {
    constructor(...args: ConstructorParameters<typeof worker_threads.Worker>) {
      super(...args);
      const ofThisTest = running;
      ofThisTest.add(this);
      started++;
      this.on('exit', () => ofThisTest.delete(this));
    }
  }
  /** Has the package take this class for that of worker_threads. */
  function useWorkers(Worker: unknown): void {
    const { getBuiltinModule } = process;
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) =>
      name === 'node:worker_threads' ? { Worker } : getBuiltinModule(name)) as never);
  }
  beforeEach(() => {
    running = new Set();
    started = 0;
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('end with dispose()', async () => {
    useWorkers(Counted);
    const [one, other] = [await createAttention({ threads: 3 }), await createAttention({ threads: 2 })];
    expect([started, running.size]).toEqual([3, 3]);
    one.dispose();
    one.dispose();
    await expect.poll(() => running.size).toBe(1);
    works(other);
    other.dispose();
    await expect.poll(() => running.size).toBe(0);
  });
  test('end when their engine is forgotten', async () => {
    useWorkers(Counted);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await createAttention({ threads: 3 }).then(works);
    expect(started).toBe(2);
    const stillRunning = () => {
      collect();
      return running.size;
    };
    await expect.poll(stillRunning).toBe(0);
  });
  test('end when one cannot be given its work, and when there is no memory to test the engine', async () => {
    class Unheard extends Counted {
      override postMessage(...[message, ...rest]: Parameters<worker_threads.Worker['postMessage']>): void {
        if (message.cmd === 'run') throw new DOMException('could not be cloned', 'DataCloneError');
        super.postMessage(message, ...rest);
      }
    }
    useWorkers(Unheard);
    await expect(createAttention({ threads: 3 })).rejects.toMatchObject({
      code: 'LOAD_FAILED',
      cause: { name: 'DataCloneError' },
    });
    expect(started).toBe(2);
    await expect.poll(() => running.size).toBe(0);

    class Poor extends Engine {
      override call(): never {
        throw new AttentionError('OUT_OF_MEMORY', undefined, 'there is no memory');
      }
    }
    vi.restoreAllMocks();
    useWorkers(Counted);
    await expect(createOver(Poor, { threads: 3 })).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
    expect(started).toBe(4);
    await expect.poll(() => running.size).toBe(0);
    expect(await used({ threads: 3 })).toMatchObject({ threads: 3 });
  });
  test('end when loading fails or is aborted', async () => {
    useWorkers(Counted);
    const wasm = readFileSync(plainModule);
    await expect(createAttention({ threads: 3, wasm })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const controller = new AbortController();
    const loading = createAttention({ threads: 3, signal: controller.signal });
    controller.abort();
    await expect(loading).rejects.toMatchObject({ code: 'ABORTED' });
    await expect.poll(() => [started > 2, running.size]).toEqual([true, 0]);
  });
  test.each([
    [
      'cannot be made',
      class {
        constructor() {
          throw new Error('not under this policy');
        }
      },
      'not under this policy',
    ],
    [
      'fail',
      class extends worker_threads.Worker {
        constructor() {
          super(new URL('data:text/javascript,throw new Error("no such script")'));
        }
      },
      'no such script',
    ],
  ])('that %s: auto is one thread, a number LOAD_FAILED, and the next try succeeds', async (_, Worker, why) => {
    useWorkers(Worker);
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
    const info = await used({ threads: 'auto' });
    expect(info).toMatchObject({ threads: 1, variant: 'relaxed-simd', threadsReason: expect.stringContaining(why) });
    const failed = { code: 'LOAD_FAILED', message: expect.stringContaining(why) };
    await expect(createAttention({ threads: 2 })).rejects.toMatchObject(failed);
    await expect(createAttention({ variant: 'simd-threads' })).rejects.toMatchObject(failed);
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    expect(await used({ threads: 2 })).toMatchObject({ threads: 2 });
  });

  const fixture = fileURLToPath(new URL('fixtures/threads.mjs', import.meta.url));
  const run = async (...args: string[]) =>
    JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as Record<string, unknown>;
  test.each([
    ['a script', [fixture]],
    ['a worker of a script', [fixture, 'worker']],
    ['--eval', ['--input-type=module', '--eval', readFileSync(fixture, 'utf8')]],
  ])('in %s: cost nothing when idle, and do not keep Node.js from ending', async (_, args) => {
    const { threads, right, idleMilliseconds } = await run(...args);
    expect([threads, right]).toEqual([3, true]);
    // Of 500 ms of waiting: two threads that spin would take 1000, or all that a busy machine leaves them.
    expect(idleMilliseconds).toBeLessThan(100);
  });
});

describe('shared memory', () => {
  test('never comes back as a result', async () => {
    const engine = await createAttention({ threads: 2 });
    const tensor = engine.tensor(x);
    expect(tensor.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    const { output, weights, logSumExp } = engine.scaledDotProductAttention(tensor, x, x, {
      weights: true,
      logSumExp: true,
    });
    for (const { data } of [output, weights, logSumExp, engine.gelu(tensor), engine.attentionMap(tensor, x)])
      expect(data.buffer).toBeInstanceOf(ArrayBuffer);
    expect(structuredClone(output, { transfer: [output.data.buffer] }).shape).toEqual(x.shape);
    engine.dispose();
  });
  test('is refused as out, also by a view from before it grew', async () => {
    const engine = await createAttention({ threads: 2 });
    const tensor = engine.tensor({ data: new Float32Array(8), shape: [8] });
    const view = tensor.data;
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'options.out' });
    expect(() => engine.gelu({ data: new Float32Array(8), shape: [8] }, { out: view })).toThrow(refused);
    const bytes = engine.info.memoryBytes;
    engine.zeros([bytes / 2]);
    expect(engine.info.memoryBytes).toBeGreaterThan(bytes);
    expect(() => engine.gelu({ data: new Float32Array(8), shape: [8] }, { out: view })).toThrow(refused);
    engine.dispose();
  });
  test('is reserved as far as the address space allows', async () => {
    const { Memory } = WebAssembly;
    const asked: number[] = [];
    const most = 2 ** 30 / 65536;
    WebAssembly.Memory = class extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        asked.push(descriptor.maximum as number);
        if ((descriptor.maximum as number) > most) throw new RangeError('could not allocate memory');
        super(descriptor);
      }
    };
    try {
      const engine = await createAttention({ threads: 2 });
      expect(asked).toEqual([65536, 32768, 16384]);
      works(engine);
      expect(() => engine.zeros([2 ** 28])).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
      works(engine);
      engine.dispose();
      await expect(createAttention()).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
    } finally {
      WebAssembly.Memory = Memory;
    }
  });
});
