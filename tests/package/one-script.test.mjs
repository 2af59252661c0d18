import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { bundleOf, bytesOf, installed, refused, right, rightRemote } from './one-script.mjs';

const consumer = inject('consumer');
const require = createRequire(import.meta.url);
const address = (file) => pathToFileURL(installed(consumer, file));
const wasm = bytesOf(consumer, 'simd');
const threadScript = address('attention-threads-module.js');

let folder;
beforeAll(() => {
  folder = mkdtempSync(join(consumer, 'one-script-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['cjs', 'iife'])('bundled into one script by esbuild, %s, in Node.js', (format) => {
  let bundled;
  beforeAll(async () => {
    const file = join(folder, `${format}.cjs`);
    const more = format === 'iife' ? ';module.exports = bundled' : '';
    writeFileSync(file, (await bundleOf(consumer, format)) + more);
    bundled = require(file);
  });
  afterEach(() => vi.unstubAllGlobals());
  const twoProcessors = () => vi.stubGlobal('navigator', { hardwareConcurrency: 2 });

  test('works with bytes, and with a function to addresses', async () => {
    expect(await bundled.outcome({ wasm })).toEqual(await right({ variant: 'simd' }));
    expect(await bundled.outcome({ variant: 'simd', wasm: address })).toEqual(await right({ variant: 'simd' }));
  });

  test('without, says what it needs', async () => {
    expect(await bundled.outcome()).toEqual(refused('LOAD_FAILED', /needs options\.wasm/));
  });

  test('has the threads of a script that is named, else one', async () => {
    twoProcessors();
    const options = { wasm: address, deterministic: true };
    const threads = { variant: 'simd-threads', threads: 2 };
    for (const count of [2, 'auto']) {
      const found = await bundled.outcome({ ...options, threads: count, threadScript });
      expect(found).toEqual(await right(threads));
    }
    const one = { variant: 'simd', threadsReason: expect.stringMatching(/needs options\.threadScript/) };
    expect(await bundled.outcome({ ...options, threads: 'auto' })).toEqual(await right(one));
    expect(await bundled.outcome({ ...options, threads: 2 })).toEqual(refused('LOAD_FAILED', /options\.threadScript/));
  });

  test('has a worker that is given, with its threads; else says what it needs', async () => {
    expect(await bundled.remoteOutcome({ wasm })).toEqual(refused('LOAD_FAILED', /start a worker.*options\.worker/));
    const worker = () => new Worker(address('worker-entry.js'));
    expect(await bundled.remoteOutcome({ wasm, worker })).toEqual(rightRemote({ variant: 'simd' }));

    const entry = join(folder, `${format}-worker.cjs`);
    writeFileSync(entry, await bundleOf(consumer, format, installed(consumer, 'worker-entry.js')));
    const own = () => new Worker(entry);
    expect(await bundled.remoteOutcome({ wasm, worker: own })).toEqual(rightRemote({ variant: 'simd' }));
    expect(await bundled.remoteOutcome({ worker: own })).toEqual(refused('LOAD_FAILED', /needs options\.wasm/));
    const shared = { wasm: address, worker: own, deterministic: true, threads: 2, threadScript };
    expect(await bundled.remoteOutcome(shared)).toEqual(rightRemote({ variant: 'simd-threads', threads: 2 }));
  });
});

describe('a context of its own, where bytes do not become code', () => {
  // A realm with the language's own classes and no more: no URL, no timers, no ports, no process.
  const given = { TextDecoder, TextEncoder, console };
  let bundled;
  beforeAll(async () => {
    const context = createContext(given, { codeGeneration: { strings: false, wasm: false } });
    expect(() => runInContext('new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))', context)).toThrow(
      /disallowed/,
    );
    bundled = runInContext(`${await bundleOf(consumer, 'iife')};bundled`, context);
  });
  /** Its objects are of that realm. */
  const plain = (outcome) => JSON.parse(JSON.stringify(outcome));

  test('works with a module that was compiled outside', async () => {
    const module = new WebAssembly.Module(wasm);
    for (const options of [{}, { variant: 'simd' }, { deterministic: true }, { threads: 'auto' }]) {
      const reason = options.threads && { threadsReason: 'this thread cannot start workers' };
      expect(plain(await bundled.outcome({ wasm: module, ...options }))).toEqual(
        await right({ variant: 'simd', ...reason }),
      );
    }
  });

  test('refuses bytes by the name of the directive, and nothing at all by that of the option', async () => {
    expect(plain(await bundled.outcome({ wasm }))).toEqual(
      refused('LOAD_FAILED', /'wasm-unsafe-eval'.*options\.wasm must be a WebAssembly\.Module/),
    );
    expect(plain(await bundled.outcome())).toEqual(refused('LOAD_FAILED', /needs options\.wasm/));
    expect(plain(await bundled.remoteOutcome({ wasm }))).toEqual(refused('LOAD_FAILED', /could not start a worker/));
  });
});
