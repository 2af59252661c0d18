// Places of a page that have no address, or another page's, and policies that forbid to compile.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { isolation, serve } from '../../scripts/lib/serve.mjs';
import { engines, launch } from '../browser/drivers/index.mjs';
import { bundleOf, installed, refused, right } from './one-script.mjs';

const consumer = inject('consumer');
const htmlOf = (head) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>hosts</title><link rel="icon" href="data:,">${head}</html>`;
const script = '<script src="bundle.js"></script><script src="load.js"></script>';
/** Compiles what the page may not, under the policy that it was served with itself. */
const compiler = `onmessage = async ({ data }) => postMessage(await WebAssembly.compileStreaming(fetch(data)));`;

let root;
const servers = {};
beforeAll(async () => {
  root = mkdtempSync(join(consumer, 'pages-'));
  cpSync(installed(consumer, '.'), join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, 'bundle.js'), await bundleOf(consumer, 'iife'));
  writeFileSync(join(root, 'module.js'), await bundleOf(consumer, 'esm'));
  writeFileSync(join(root, 'load.js'), 'globalThis.load = (address) => import(address);');
  writeFileSync(join(root, 'compiler.js'), compiler);
  writeFileSync(join(root, 'index.html'), htmlOf(script));
  const strict = `<meta http-equiv="content-security-policy" content="script-src 'self'">`;
  writeFileSync(join(root, 'strict.html'), htmlOf(strict + script));
  const open = { 'content-security-policy': "default-src * data: blob: 'unsafe-inline' 'unsafe-eval'" };
  servers.page = await serve({ root, headers: { ...open, ...isolation } });
  const shared = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };
  servers.other = await serve({ root, headers: { ...open, ...shared } });
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.close();
  rmSync(root, { recursive: true });
});

/** Runs in the page: what a worker of this text answers to a message. */
function inWorker(text, type, message) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const worker = new Worker(url, { type });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => resolve(event.message ?? 'it did not run');
    worker.postMessage(message);
  }).finally(() => worker.terminate());
}

describe.each(engines)('in %s', (engine) => {
  let browser;
  const open = async (page) => {
    await browser.open(servers.page.url + page);
    await browser.waitFor(() => 'bundled' in globalThis);
  };
  const fetched = (file) => `${servers.page.url}dist/${file}`;
  beforeAll(async () => {
    browser = await launch(engine);
  });
  afterAll(() => browser?.close());

  test('a classic script', async () => {
    await open('index.html');
    const outcome = (options) => browser.evaluate((given) => globalThis.bundled.outcome(given), options);
    expect(await outcome({ wasm: fetched('attention-simd.wasm') })).toEqual(await right({ variant: 'simd' }));
    expect(await outcome({})).toEqual(refused('LOAD_FAILED', /needs options\.wasm/));
    const remote = await browser.evaluate(
      (wasm) => globalThis.bundled.remoteOutcome({ wasm }),
      'dist/attention-simd.wasm',
    );
    expect(remote).toEqual(refused('LOAD_FAILED', /start a worker.*options\.worker/));
  });

  test('a data: module', async () => {
    await open('index.html');
    const found = await browser.evaluate(async (wasm) => {
      const text = await (await fetch('module.js')).text();
      const url = await new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(new Blob([text], { type: 'text/javascript' }));
      });
      const { outcome } = await globalThis.load(url);
      return [await outcome({ wasm }), await outcome()];
    }, fetched('attention-simd.wasm'));
    expect(found).toEqual([await right({ variant: 'simd' }), refused('LOAD_FAILED', /needs options\.wasm/)]);
  });

  // WebKitGTK has no memory that is shared.
  const hasThreads = engine !== 'webkit';
  test.each([
    ['classic', 'bundle.js', ''],
    ['module', 'module.js', ''],
  ])('a %s worker of a blob: address', async (type, file) => {
    await open('index.html');
    const answer =
      '\nonmessage = async ({ data }) => postMessage(await (globalThis.bundled ?? { outcome }).outcome(data));';
    const ask = (options) =>
      browser.evaluate(
        `async (file, answer, type, options) => (${inWorker})((await (await fetch(file)).text()) + answer, type, options)`,
        file,
        type === 'classic' ? answer.replace('globalThis.bundled ?? { outcome }', 'bundled') : answer,
        type,
        options,
      );
    const wasm = fetched('attention-simd.wasm');
    expect(await ask({ wasm })).toEqual(await right({ variant: 'simd' }));
    expect(await ask({})).toEqual(refused('LOAD_FAILED', /needs options\.wasm/));
    if (!hasThreads) return;
    const shared = { wasm: fetched('attention-simd-threads.wasm'), threads: 2 };
    expect(await ask(shared)).toEqual(refused('LOAD_FAILED', /options\.threadScript/));
    const threadScript = fetched('attention-threads-module.js');
    expect(await ask({ ...shared, threadScript })).toEqual(await right({ variant: 'simd-threads', threads: 2 }));
    // The file for one thread is there, too, but this is the address of one file.
    const auto = await ask({ ...shared, wasm, threads: 'auto', threadScript });
    expect(auto).toEqual(await right({ variant: 'simd', threadsReason: 'options.wasm is a module of one thread' }));
  });

  test('the package on another origin', async () => {
    await open('index.html');
    const text = `onmessage = async ({ data: { address, options } }) => {
      try {
        const { createAttention } = await import(address);
        const { threads, threadsReason } = (await createAttention(options)).info;
        postMessage({ threads, threadsReason });
      } catch ({ name, code, message }) {
        postMessage({ name, code, message });
      }
    };`;
    const address = `${servers.other.url}dist/index.js`;
    const ask = (options) =>
      browser.evaluate(`(text, message) => (${inWorker})(text, 'module', message)`, text, { address, options });
    expect(await ask({ variant: 'simd' })).toMatchObject({ threads: 1 });
    if (!hasThreads) return;
    const why = /could not start a thread/;
    expect(await ask({ threads: 2 })).toEqual(refused('LOAD_FAILED', why));
    const auto = await ask({ threads: 'auto', deterministic: true });
    expect(auto).toMatchObject({ threads: 1, threadsReason: expect.stringMatching(why) });
    const threadScript = fetched('attention-threads-module.js');
    expect(await ask({ threads: 2, threadScript })).toMatchObject({ threads: 2 });
  });

  test('an engine in a worker of the package on another origin', async () => {
    await open('index.html');
    const found = await browser.evaluate(
      async (address, worker, wasm, threadScript) => {
        const { createAttentionWorker } = await globalThis.load(address);
        const outcome = (options) =>
          createAttentionWorker(options).then(
            ({ info }) => ({ threads: info.threads }),
            ({ name, code, message }) => ({ name, code, message }),
          );
        const given = { worker: () => new Worker(worker, { type: 'module' }), wasm };
        return [
          await outcome(),
          await outcome(given),
          threadScript && (await outcome({ ...given, wasm: undefined, threads: 2, threadScript })),
        ];
      },
      `${servers.other.url}dist/worker.js`,
      fetched('worker-entry.js'),
      fetched('attention-simd.wasm'),
      hasThreads && fetched('attention-threads-module.js'),
    );
    expect(found).toEqual([
      refused('LOAD_FAILED', /start a worker.*options\.worker/),
      { threads: 1 },
      hasThreads && { threads: 2 },
    ]);
  });

  test("a policy without 'wasm-unsafe-eval': refused by its name, but for a module in Chromium", async () => {
    await open('strict.html');
    const wasm = fetched('attention-simd.wasm');
    const byName = refused('LOAD_FAILED', /'wasm-unsafe-eval'/);
    expect(await browser.evaluate((address) => globalThis.bundled.outcome({ wasm: address }), wasm)).toEqual(byName);
    const module = await browser.evaluate((address) => {
      const worker = new Worker('compiler.js');
      return new Promise((resolve) => {
        worker.onmessage = ({ data }) => globalThis.bundled.outcome({ wasm: data }).then(resolve);
        worker.onmessageerror = (event) => resolve(event.type);
        worker.postMessage(address);
      });
    }, wasm);
    // Firefox hands such a page no module, and WebKit makes no instance of it.
    const found = { chromium: await right({ variant: 'simd' }), firefox: 'messageerror', webkit: byName };
    expect(module).toEqual(found[engine]);
  });
});
