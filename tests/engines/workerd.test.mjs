// The package in workerd, as Cloudflare runs it: by an imported module, since code cannot be made from bytes there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askRuntime } from './runtimes.mjs';
import { startWorkerd } from './workerd/ask.mjs';

/** Newer dates have Node's modules, if only in name. */
const noThreads = /cannot start workers|may not wait/;

let expected;
beforeAll(async () => {
  expected = await askRuntime('this Node.js', 'digests', { deterministic: true });
});

// The first date there is: no MessageChannel, no FinalizationRegistry, no process, and importScripts without a place.
describe.each(['2021-11-03', '2026-11-17'])('workerd of %s', (date) => {
  let workerd;
  const ask = (...call) => workerd.ask(...call);
  beforeAll(async () => {
    workerd = await startWorkerd(date);
  });
  afterAll(() => workerd?.close());

  test('attention and models give the bits of Node.js', async () => {
    expect(await ask('digests', { deterministic: true })).toEqual(expected);
  });

  test('a model writes before the first request, as later', async () => {
    const tokens = await askRuntime('this Node.js', 'generates', { variant: 'simd' });
    expect(tokens).toHaveLength(20);
    expect(await ask('early')).toEqual(tokens);
    expect(await ask('generates')).toEqual(tokens);
  });

  test.each(['simd', 'relaxed-simd'])('%s is taken as it is given', async (variant) => {
    expect(await ask('variant', { variant })).toEqual({ variant, firstRow: [1, 0] });
  });

  test("threads: 'auto' is one", async () => {
    const info = { threads: 1, threadsReason: expect.stringMatching(noThreads) };
    expect(await ask('info', { threads: 'auto' })).toMatchObject(info);
  });

  test('what cannot be is refused by name', async () => {
    const refused = (code, reason) => ({ name: 'AttentionError', code, message: expect.stringMatching(reason) });
    expect(await ask('refusals')).toEqual({
      'no wasm': refused('LOAD_FAILED', /options\.wasm/),
      bytes: refused('LOAD_FAILED', /wasm-unsafe-eval.*WebAssembly\.Module/),
      threads: refused('UNSUPPORTED_ENGINE', noThreads),
      'a worker': refused('LOAD_FAILED', /could not start a worker/),
    });
  });
});
