import { execFile } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { createAttentionWorker } from 'attention-wasm/worker';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { waitTimeout } from '../patience.mjs';
import { greedy } from './decoding.ts';
import { bytesOf, dist, failure, works } from './loaded.ts';
import { gpt2 } from './oracle/gpt2.ts';
import { config, weights } from './synthetic-gpt2.ts';

const prompt = [3, 0, 28];
const maxNewTokens = 5;
const tensors = weights();
const want = greedy((ids) => gpt2(config, tensors, ids).logits, prompt, maxNewTokens);
const right = { firstRow: [1, 0], tokens: want.map(({ id }) => id) };

const inPlainNumbers = Object.fromEntries(
  Object.entries(tensors).map(([name, { data, shape }]) => [name, { data: Array.from(data), shape }]),
);

/** In a process of its own without these globals: the package may ask for them as it is imported. */
function without(how: 'bytes' | 'files', missing: readonly string[]): Promise<unknown> {
  const fixture = fileURLToPath(new URL('fixtures/without.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [fixture, how, ...missing],
      { timeout: waitTimeout },
      (error, out, complaints) => {
        if (error) reject(error);
        else resolve(complaints === '' ? JSON.parse(out) : complaints);
      },
    );
    child.stdin?.end(JSON.stringify({ config, tensors: inPlainNumbers, prompt, maxNewTokens }));
  });
}

describe('a host without', () => {
  const collectors = ['FinalizationRegistry', 'WeakRef'];
  const web = ['AbortSignal', 'AbortController', 'DOMException', 'Event', 'EventTarget', 'fetch', 'Response', 'Blob'];
  const more = [
    'structuredClone',
    'performance',
    'crypto',
    'MessagePort',
    'BroadcastChannel',
    'SharedArrayBuffer',
    'Atomics',
  ];
  test.each([
    ['collectors to ask', collectors],
    ['message ports', ['MessageChannel']],
    ['message ports and timers', ['MessageChannel', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']],
    ['classes of the web', web],
    ['more of it', more],
    ['all of these', [...collectors, ...web, ...more, 'MessageChannel', 'setTimeout']],
  ])('%s works', async (_, missing) => {
    expect(await without('files', missing)).toEqual(right);
  });
  test.each([['process'], ['URL'], ['fetch']])('%s works with bytes', async (name) => {
    expect(await without('bytes', [name, 'MessageChannel'])).toEqual(right);
  });
  test.each([
    ['URL', 'LOAD_FAILED', /URL is not defined.*options\.wasm/],
    ['process', 'LOAD_FAILED', /could not read file:.*options\.wasm/],
    ['TextDecoder', 'LOAD_FAILED', /TextDecoder is not defined/],
    ['WebAssembly', 'UNSUPPORTED_ENGINE', /no WebAssembly/],
  ])('%s is refused by name', async (name, code, message) => {
    const refused = { name: 'AttentionError', code, message: expect.stringMatching(message) };
    expect(await without('files', [name])).toEqual(refused);
  });
});

describe('functions of the host that throw', () => {
  afterEach(() => vi.unstubAllGlobals());
  const forbidden = (api: string) =>
    class {
      constructor() {
        throw new Error(`${api} is not supported here`);
      }
    };
  async function generated() {
    const engine = await createAttention({ variant: 'simd' });
    const model = createModel(engine, { config, tensors });
    const tokens = await model.generate(prompt, { maxNewTokens, stop: [] });
    engine.dispose();
    return [...tokens];
  }

  test('a MessageChannel', async () => {
    vi.stubGlobal('MessageChannel', forbidden('MessageChannel'));
    expect(await generated()).toEqual(right.tokens);
    const loading = createAttentionWorker();
    await expect(loading).rejects.toMatchObject({
      code: 'LOAD_FAILED',
      message: expect.stringMatching(/MessageChannel is not supported/),
    });
  });
  test('a MessageChannel and timers', async () => {
    vi.stubGlobal('MessageChannel', forbidden('MessageChannel'));
    vi.stubGlobal('setTimeout', () => {
      throw new Error('not before a request');
    });
    expect(await generated()).toEqual(right.tokens);
  });
  test("modules of Node.js, as in Next.js's edge runtime", async () => {
    const refuse = () => {
      throw new Error('A Node.js API is used (process.getBuiltinModule) which is not supported in the Edge Runtime.');
    };
    vi.stubGlobal('process', { env: {}, getBuiltinModule: refuse });
    vi.stubGlobal('navigator', { hardwareConcurrency: 4 });
    const engine = await createAttention({ wasm: bytesOf('simd'), threads: 'auto' });
    expect(engine.info).toMatchObject({ threads: 1, threadsReason: 'this thread cannot start workers' });
    works(engine);
    engine.dispose();
  });
  test('WebAssembly.validate', async () => {
    const module = new WebAssembly.Module(bytesOf('simd'));
    vi.spyOn(WebAssembly, 'validate').mockImplementation(() => {
      throw new Error('not here');
    });
    const engine = await createAttention({ wasm: module });
    works(engine);
    engine.dispose();
    expect((await failure({ variant: 'relaxed-simd' })).code).toBe('UNSUPPORTED_ENGINE');
    vi.restoreAllMocks();
  });
});

test.each([[undefined], [7], [{}]])('a function that gives %j for a worker is LOAD_FAILED', async (none) => {
  const message = expect.stringMatching(/could not start a worker: options\.worker gave/);
  const loading = createAttentionWorker({ worker: () => none as never });
  await expect(loading).rejects.toMatchObject({ code: 'LOAD_FAILED', message });
});

describe('a module that is given decides', () => {
  afterEach(() => vi.restoreAllMocks());
  test.each(['simd', 'relaxed-simd'] as const)(
    '%s: the engine is asked nothing, and compiles nothing',
    async (variant) => {
      const wasm = new WebAssembly.Module(bytesOf(variant));
      const validate = vi.spyOn(WebAssembly, 'validate');
      const compile = vi.spyOn(WebAssembly, 'compile');
      const Module = vi.spyOn(WebAssembly, 'Module');
      for (const options of [{ wasm }, { wasm, variant }]) {
        const engine = await createAttention(options);
        expect(engine.info.variant).toBe(variant);
        works(engine);
        engine.dispose();
      }
      expect([validate, compile, Module].map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
    },
  );
});

describe('threadScript', () => {
  const script = pathToFileURL(`${dist}attention-threads-module.js`);
  test.each([
    ['a URL', script],
    ['a string', script.href],
  ])('by %s threads are started of it, here and from a worker', async (_, threadScript) => {
    const engine = await createAttention({ threads: 2, threadScript });
    expect(engine.info.threads).toBe(2);
    works(engine);
    engine.dispose();
    const remote = await createAttentionWorker({ threads: 2, threadScript });
    expect(remote.info.threads).toBe(2);
    remote.dispose();
  });
  test.each([
    ['that is not there', new URL('nothing.js', script)],
    ['that is no address', 'nothing.js'],
  ])('a script %s: LOAD_FAILED, and auto takes one thread', async (_, threadScript) => {
    expect(await failure({ threads: 2, threadScript })).toMatchObject({
      code: 'LOAD_FAILED',
      message: expect.stringMatching(/nothing\.js/),
    });
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
    const engine = await createAttention({ threads: 'auto', threadScript });
    vi.unstubAllGlobals();
    expect(engine.info).toMatchObject({ threads: 1, threadsReason: expect.stringContaining('nothing.js') });
    works(engine);
    engine.dispose();
    const remote = createAttentionWorker({ threads: 2, threadScript });
    await expect(remote).rejects.toMatchObject({ code: 'LOAD_FAILED' });
  });
  test('auto takes one thread where there is no module with threads', async () => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
    const wasm = (file: string) => new URL(file.replace('-threads', '-missing'), script);
    const engine = await createAttention({ threads: 'auto', variant: 'auto', wasm });
    vi.unstubAllGlobals();
    expect(engine.info).toMatchObject({ threads: 1, threadsReason: expect.stringContaining('-missing.wasm') });
    works(engine);
    engine.dispose();
  });
  test.each([[7], [null], [{}]])('%j is INVALID_ARGUMENT', async (threadScript) => {
    const refused = { code: 'INVALID_ARGUMENT', argument: 'options.threadScript' };
    expect(await failure({ threadScript })).toMatchObject(refused);
    await expect(createAttentionWorker({ threadScript } as never)).rejects.toMatchObject(refused);
  });
});
