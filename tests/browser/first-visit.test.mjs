// What a first visit costs: asked for once each, from the page's own folder only, and small beside the weights.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentSecurityPolicy, isolation, serve } from '../../scripts/lib/serve.mjs';
import { launch, violationPath } from './drivers/index.mjs';
import { isKept } from './kept.mjs';

const root = fileURLToPath(new URL('../../demo/dist', import.meta.url));
const headers = {
  ...isolation, // Threads need a file more.
  'cache-control': 'max-age=600', // As GitHub Pages has it.
  'content-security-policy': `${contentSecurityPolicy}; report-uri ${violationPath}`,
};

let server;
let browser;
let requests;
beforeAll(async () => {
  if (!existsSync(`${root}/index.html`)) throw new Error('demo/dist is not built. Run: npm test');
  server = await serve({ root, headers });
  browser = await launch('chromium');
  await browser.open(server.url);
  await browser.waitFor(() => document.querySelector('#root[data-state="ready"]') !== null);
  await browser.waitFor(isKept);
  requests = browser.requests().filter((url) => url.startsWith(server.url));
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const isWeights = (file) => file.endsWith('.safetensors');
const fileOf = (url) => url.slice(server.url.length) || 'index.html';
const contentOf = (file) => readFileSync(`${root}/${file}`);

function compressed(file) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  return brotliCompressSync(contentOf(file), { params }).length;
}

test('all but the weights is at most 350 kB with brotli', () => {
  const files = [...new Set(requests.map(fileOf))].filter((file) => !isWeights(file)).sort();
  const rows = files.map((file) => ({ file, bytes: contentOf(file).length, brotli: compressed(file) }));
  const sum = (column) => rows.reduce((total, row) => total + row[column], 0);
  console.table([...rows, { file: 'all', bytes: sum('bytes'), brotli: sum('brotli') }]);
  expect(files).toContain('sw.js');
  expect(sum('brotli')).toBeLessThanOrEqual(350_000);
});

test('the weights are one file of at most 24 MB', () => {
  const files = requests.map(fileOf).filter(isWeights);
  expect(files).toHaveLength(1);
  expect(contentOf(files[0]).length).toBeLessThanOrEqual(24_000_000);
});

test('nothing is asked for twice', () => {
  // But the page itself: the service worker keeps the one that belongs to its list of files.
  const others = requests.map(fileOf).filter((file) => file !== 'index.html');
  expect(others.filter((file, at) => others.indexOf(file) !== at)).toEqual([]);
});

test('no other host is asked, and no policy broken', () => {
  expect(browser.foreignRequests()).toEqual([]);
  expect(browser.violations()).toEqual([]);
});
