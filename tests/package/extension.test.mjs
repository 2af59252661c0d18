// Extensions of Chromium, manifest version 3: the package as it is in the service worker and in a page of theirs, and
// bundled into one script where it is put into the pages of others.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { isolation, serve } from '../../scripts/lib/serve.mjs';
import { launchWithExtensions } from '../browser/drivers/chromium.mjs';
import { locate } from '../browser/drivers/index.mjs';
import { bundleOf, installed, refused, right, rightRemote } from './one-script.mjs';

const consumer = inject('consumer');
const html = '<!doctype html><html lang="en"><meta charset="utf-8"><title>extension</title>';

const manifest = (name, more) => ({
  manifest_version: 3,
  name,
  version: '1',
  background: { service_worker: 'background.js', type: 'module' },
  web_accessible_resources: [{ resources: ['*'], matches: ['<all_urls>'] }],
  ...more,
});
const manifests = {
  allowed: manifest('allowed', {
    content_scripts: [{ matches: ['http://localhost/*'], js: ['content.js'] }],
    content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'" },
    cross_origin_opener_policy: { value: 'same-origin' },
    cross_origin_embedder_policy: { value: 'require-corp' },
  }),
  // Under the policy that extensions have by themselves.
  plain: manifest('plain'),
};

/** Cases of a content script, which the page reads from its document. */
const content = `
const file = (name) => chrome.runtime.getURL('dist/' + name);
(async () => {
  const { outcome, remoteOutcome } = bundled;
  const asItIs = await import(chrome.runtime.getURL('module.js'));
  const results = {
    'a function to addresses': await outcome({ deterministic: true, wasm: file }),
    'nothing given': await outcome(),
    'the package as it is': await asItIs.outcome({ deterministic: true }),
    'a worker': await remoteOutcome({ wasm: file('attention-simd.wasm') }),
  };
  document.documentElement.dataset.results = JSON.stringify(results);
})();`;

let root;
let context;
const servers = {};
beforeAll(async () => {
  root = mkdtempSync(join(consumer, 'extension-'));
  const names = { 'attention-wasm': 'index', 'attention-wasm/models': 'models', 'attention-wasm/worker': 'worker' };
  const alias = Object.fromEntries(Object.entries(names).map(([name, file]) => [name, `./dist/${file}.js`]));
  const asItIs = await bundleOf(consumer, 'esm', 'bundled.js', { alias, external: ['./dist/*'] });
  const inOne = await bundleOf(consumer, 'iife');
  for (const [name, settings] of Object.entries(manifests)) {
    const folder = join(root, name);
    mkdirSync(folder);
    cpSync(installed(consumer, '.'), join(folder, 'dist'), { recursive: true });
    const files = {
      'manifest.json': JSON.stringify(settings),
      'module.js': asItIs,
      'background.js': "import * as bundled from './module.js';\nglobalThis.bundled = bundled;",
      'page.html': `${html}<script type="module" src="background.js"></script>`,
      'content.js': inOne + content,
    };
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  }
  mkdirSync(join(root, 'page'));
  writeFileSync(join(root, 'page/index.html'), html);
  const policies = {
    open: "default-src * 'unsafe-inline' 'wasm-unsafe-eval'",
    strict: "default-src 'none'; script-src 'self'",
  };
  for (const [name, policy] of Object.entries(policies)) {
    const headers = { 'content-security-policy': policy, ...(name === 'open' && isolation) };
    servers[name] = await serve({ root: join(root, 'page'), headers });
  }
  const extensions = Object.keys(manifests).map((name) => join(root, name));
  context = await launchWithExtensions({ ...locate('chromium'), extensions });
});
afterAll(async () => {
  await context?.close();
  for (const server of Object.values(servers)) await server.close();
  rmSync(root, { recursive: true });
});

/** The service worker of an extension, once its script has run. */
async function serviceWorker(name) {
  for (;;) {
    for (const worker of context.serviceWorkers()) {
      const found = await worker.evaluate(() => globalThis.bundled && chrome.runtime.getManifest().name);
      if (found === name) return worker;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function pageOf(name) {
  const worker = await serviceWorker(name);
  const page = await context.newPage();
  await page.goto(new URL('page.html', worker.url()).href);
  await page.waitForFunction(() => 'bundled' in globalThis);
  return page;
}

const outcome = (where, options) => where.evaluate((given) => globalThis.bundled.outcome(given), options);
const remoteOutcome = (where, options) => where.evaluate((given) => globalThis.bundled.remoteOutcome(given), options);
const deterministic = true;

describe("with 'wasm-unsafe-eval' in the manifest's policy", () => {
  test('a service worker: one thread, and no worker', async () => {
    const worker = await serviceWorker('allowed');
    expect(await outcome(worker, { deterministic })).toEqual(await right({ variant: 'simd' }));
    const reason = { threadsReason: expect.stringMatching(/cannot start workers|SharedArrayBuffer/) };
    expect(await outcome(worker, { deterministic, threads: 'auto' })).toEqual(
      await right({ variant: 'simd', ...reason }),
    );
    expect(await remoteOutcome(worker, {})).toEqual(refused('LOAD_FAILED', /could not start a worker/));
  });

  test('a page: an engine, and one in a worker, with threads', async () => {
    const page = await pageOf('allowed');
    expect(await outcome(page, { deterministic })).toEqual(await right({ variant: 'simd' }));
    expect(await remoteOutcome(page, { threads: 1 })).toEqual(rightRemote({ variant: 'relaxed-simd' }));
    const shared = { variant: 'relaxed-simd-threads', threads: 2 };
    expect(await remoteOutcome(page, { threads: 2 })).toEqual(rightRemote(shared));
  });
});

describe('under the policy that an extension has by itself', () => {
  test.each([
    ['a service worker', serviceWorker],
    ['a page', pageOf],
  ])('%s is told the directive', async (_, open) => {
    const where = await open('plain');
    const byName = refused('LOAD_FAILED', /'wasm-unsafe-eval'/);
    expect(await outcome(where, {})).toEqual(byName);
  });
});

// Whether a content script may compile the page's policy says, not the manifest's.
test.each([
  ['with', 'open'],
  ['without', 'strict'],
])("a content script in a page %s 'wasm-unsafe-eval'", async (_, policy) => {
  const page = await context.newPage();
  await page.goto(servers[policy].url);
  const results = await page.waitForFunction(() => document.documentElement.dataset.results);
  const byName = refused('LOAD_FAILED', /'wasm-unsafe-eval'.*options\.wasm must be a WebAssembly\.Module/);
  const compiled = policy === 'open' ? await right({ variant: 'simd' }) : byName;
  expect(JSON.parse(await results.jsonValue())).toEqual({
    'a function to addresses': compiled,
    'nothing given': refused('LOAD_FAILED', /needs options\.wasm/),
    'the package as it is': compiled,
    'a worker': refused('LOAD_FAILED', /start a worker.*options\.worker/),
  });
});
