// Threads in plain pages: isolated and not, under a strict content security policy with Trusted Types.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentSecurityPolicy, serve } from '../../scripts/lib/serve.mjs';
import { engines, launch, violationPath } from './drivers/index.mjs';

const policy = `${contentSecurityPolicy}; trusted-types tests attention-wasm; report-uri ${violationPath}`;
const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const pages = {
  isolated: { 'content-security-policy': policy, ...isolation },
  open: { 'content-security-policy': policy },
  // Its worker may run, but the package's may not.
  guarded: { 'content-security-policy': policy.replace(' attention-wasm;', ';'), ...isolation },
};

const servers = {};
beforeAll(async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  for (const [page, headers] of Object.entries(pages)) servers[page] = await serve({ root, headers });
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.close();
});

const right = { difference: expect.toSatisfy((difference) => difference <= 4e-6) };
const oneThread = (reason) => ({ ...right, threads: 1, threadsReason: expect.stringMatching(reason) });
const refused = (code, reason) => ({ code, message: expect.stringMatching(reason) });

describe.each(engines)('in %s', (engine) => {
  let browser;
  const load = (place, options) => browser.evaluate((...call) => globalThis.run(...call), place, 'threads', options);
  const open = async (page) => {
    await browser.open(`${servers[page].url}tests/browser/page/index.html`);
    await browser.waitFor(() => 'run' in globalThis);
  };
  beforeAll(async () => {
    browser = await launch(engine);
  });
  afterAll(() => browser?.close());

  const has = engine !== 'webkit'; // WebKitGTK is isolated, too, but has no SharedArrayBuffer.
  const missing = /this engine has no SharedArrayBuffer/;

  if (has)
    test('a worker of an isolated page has threads, and their bits are those of one', async () => {
      await open('isolated');
      const one = await load('worker', { threads: 1 });
      expect(one).toMatchObject({ ...right, threads: 1 });
      for (const threads of [2, 3]) {
        const shared = await load('worker', { threads });
        expect(shared).toMatchObject({ threads, variant: `${one.variant}-threads`, digest: one.digest });
      }
      const processors = await browser.evaluate(() => navigator.hardwareConcurrency);
      const auto = await load('worker', { threads: 'auto' });
      expect(auto).toMatchObject({ threads: processors, digest: one.digest });
      expect(await load('worker', { variant: 'simd-threads', threads: 2 })).toMatchObject({ ...right, threads: 2 });
      expect(browser.foreignRequests()).toEqual([]);
      expect(browser.violations()).toEqual([]);
    });

  test('the main thread of an isolated page may not wait', async () => {
    await open('isolated');
    const reason = has ? /may not wait.*in a worker/ : missing;
    expect(await load('page', { threads: 'auto' })).toMatchObject(oneThread(reason));
    expect(await load('page', { threads: 2 })).toMatchObject(refused('UNSUPPORTED_ENGINE', reason));
    expect(browser.violations()).toEqual([]);
  });

  if (!has)
    test('a worker has no threads, and says why', async () => {
      await open('isolated');
      expect(await load('worker', { threads: 'auto' })).toMatchObject(oneThread(missing));
      expect(await load('worker', { threads: 2 })).toMatchObject(refused('UNSUPPORTED_ENGINE', missing));
    });

  test.each(['page', 'worker'])('without isolation there is one on the %s thread', async (place) => {
    await open('open');
    const reason = /Cross-Origin-Opener-Policy/;
    expect(await load(place, { threads: 'auto' })).toMatchObject(oneThread(reason));
    expect(await load(place, { threads: 2 })).toMatchObject(refused('UNSUPPORTED_ENGINE', reason));
  });

  if (has)
    test('where a policy forbids the workers there is one, or an error', async () => {
      await open('guarded');
      const reason = /could not start a thread/;
      // Firefox has had Trusted Types from 148 on.
      const guards = await browser.evaluate(() => 'trustedTypes' in globalThis);
      if (engine === 'chromium') expect(guards).toBe(true);
      const two = guards ? refused('LOAD_FAILED', reason) : { ...right, threads: 2 };
      expect(await load('worker', { threads: 2 })).toMatchObject(two);
      const auto = guards ? oneThread(reason) : { ...right, threadsReason: undefined };
      expect(await load('worker', { threads: 'auto' })).toMatchObject(auto);
      expect(await load('worker', { threads: 1 })).toMatchObject({ ...right, threads: 1 });
    });
});
