import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build, createLogger } from 'vite';
import { expect, inject, test } from 'vitest';
import { contentSecurityPolicy, serve } from '../../scripts/lib/serve.mjs';
import { launch, violationPath } from '../browser/drivers/index.mjs';

/** Builds pages of the consumer with Vite, which must warn of nothing. */
async function bundle(outDir, pages) {
  const root = inject('consumer');
  const warnings = [];
  const warn = (message) => warnings.push(message);
  const customLogger = { ...createLogger('warn'), warn, warnOnce: warn };
  const input = pages.map((page) => join(root, page));
  // A machine with other things to do is no fault of the package.
  const options = { outDir, rolldownOptions: { input, checks: { bundlerTimings: false } } };
  await build({ root, base: './', configFile: false, logLevel: 'warn', customLogger, build: options });
  expect(warnings).toEqual([]);
  return join(root, outDir);
}

test('a Vite build runs under a strict content security policy, from a sub-path, in a worker, and with threads where isolated', async () => {
  const dist = await bundle('dist', ['index.html', 'threads.html', 'remote.html']);
  const modules = readdirSync(join(dist, 'assets')).filter((name) => name.endsWith('.wasm'));
  expect(modules).toHaveLength(4);
  const scripts = readdirSync(join(dist, 'assets')).filter((name) => name.endsWith('.js'));
  const withGlue = scripts.filter((name) => readFileSync(join(dist, 'assets', name), 'utf8').includes('PThread'));
  expect(withGlue, 'the glue of threads is copied once, and inlined nowhere').toHaveLength(1);

  const headers = {
    'content-security-policy': `${contentSecurityPolicy}; report-uri ${violationPath}`,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  const server = await serve({ root: dist, base: '/some/where/', headers });
  const browser = await launch('chromium');
  try {
    await browser.open(server.url);
    const result = await browser.waitFor(() => globalThis.result);
    expect(result).toMatchObject({ variant: 'relaxed-simd', shape: [2, 9, 12], tensors: ['answer'] });
    expect(result.difference).toBeLessThanOrEqual(4e-6);
    expect(browser.requests().filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
    expect(browser.requests().filter((url) => /attention.*threads/.test(url))).toEqual([]);
    expect(browser.foreignRequests()).toEqual([]);
    expect(browser.violations()).toEqual([]);

    await browser.open(`${server.url}threads.html`);
    const shared = await browser.waitFor(() => globalThis.result);
    expect(shared).toMatchObject({ variant: 'relaxed-simd-threads', threads: 2, shape: [2, 9, 12] });
    expect(shared.difference).toBe(result.difference);
    expect(browser.foreignRequests()).toEqual([]);
    expect(browser.violations()).toEqual([]);

    await browser.open(`${server.url}remote.html`);
    const remote = await browser.waitFor(() => globalThis.result);
    expect(remote).toEqual({ variant: 'relaxed-simd', difference: result.difference });
    expect(browser.requests().filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
    expect(browser.violations()).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});

test('one call is small: the scripts that a page fetches for it', async () => {
  const server = await serve({ root: await bundle('dist-one', ['one.html']) });
  const browser = await launch('chromium');
  try {
    await browser.open(`${server.url}one.html`);
    expect(await browser.waitFor(() => globalThis.result)).toEqual({ firstRow: [1, 0] });
    const scriptsAsked = [...new Set(browser.requests().filter((url) => url.endsWith('.js')))];
    const bodies = await Promise.all(scriptsAsked.map(async (url) => (await fetch(url)).text()));
    const size = bodies.reduce((sum, text) => sum + brotliCompressSync(text).length, 0);
    console.log(`one call: ${scriptsAsked.length} scripts, ${size} bytes with brotli`);
    expect(size).toBeLessThanOrEqual(31_000);
  } finally {
    await browser.close();
    await server.close();
  }
});
