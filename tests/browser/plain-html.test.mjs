// The example without a bundler, as it lies beside an installed package: narrow, by the keyboard, and under a policy
// that allows its own two scripts and its style only.
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentSecurityPolicy, serve } from '../../scripts/lib/serve.mjs';
import { engines, launch, violationPath } from './drivers/index.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(repository, 'examples/plain-html/index.html'), 'utf8');
const width = 360;

/** The policy of all pages here, with what stands in this one. */
function policyOf(html) {
  const hashes = (tag) =>
    Array.from(html.matchAll(new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, 'g')), ([, content]) => {
      return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
    }).join(' ');
  return contentSecurityPolicy
    .replace("script-src 'self'", `script-src 'self' ${hashes('script')}`)
    .replace("style-src 'self'", `style-src ${hashes('style')}`);
}

let folder;
let server;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'attention-wasm-page-'));
  cpSync(join(repository, 'examples/plain-html'), folder, { recursive: true });
  cpSync(join(repository, 'dist'), join(folder, 'node_modules/attention-wasm/dist'), { recursive: true });
  const policy = `${policyOf(page)}; report-uri ${violationPath}`;
  server = await serve({ root: folder, headers: { 'content-security-policy': policy } });
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(engines)('in %s', (engine) => {
  let browser;
  beforeAll(async () => {
    browser = await launch(engine, { width, height: 800 });
    await browser.open(server.url);
    await browser.waitFor(() => document.querySelector('table') !== null);
  });
  afterAll(() => browser?.close());

  const write = async (...keys) => {
    await browser.evaluate(() => document.querySelector('#sentence').focus());
    await browser.press('End', ...keys);
  };

  test('shows what its sentence gives', async () => {
    expectAttention(await browser.evaluate(readTable), 'the cat that sat at the table ate');
  });

  test('the field has a label, and the table headers', async () => {
    const { label, columns, rows } = await browser.evaluate(() => ({
      label: document.querySelector('#sentence').labels[0].textContent,
      columns: document.querySelectorAll('thead th[scope="col"]').length,
      rows: document.querySelectorAll('tbody th[scope="row"]').length,
    }));
    expect({ label, columns, rows }).toEqual({ label: 'A sentence', columns: 8, rows: 8 });
  });

  test('typing changes the table', async () => {
    await write(...' cake');
    await browser.waitFor((count) => document.querySelectorAll('tbody tr').length === count, { args: [9] });
    await browser.waitFor(() => document.querySelector('tbody tr:last-child th').textContent === 'cake');
    expectAttention(await browser.evaluate(readTable), 'the cat that sat at the table ate cake');
  });

  test('without a word it asks for one, and says where there are too many', async () => {
    await write(...Array(50).fill('Backspace'));
    await browser.waitFor(() => document.querySelector('#matrix').textContent === 'Type a word.');
    await write(...'ab '.repeat(25));
    await browser.waitFor(() => document.querySelectorAll('tbody tr').length === 24);
    await browser.waitFor(() => document.querySelector('[role="status"]').textContent.includes('first 24 words'));
    expectAttention(await browser.evaluate(readTable), 'ab '.repeat(24).trim());
  });

  test('is as wide as a phone, and the large table scrolls in its own box', async () => {
    const { page, inner, matrix } = await browser.evaluate(() => ({
      page: document.documentElement.scrollWidth,
      inner: window.innerWidth,
      matrix: document.querySelector('#matrix').scrollWidth,
    }));
    expect(inner).toBe(width);
    expect(page).toBeLessThanOrEqual(width);
    expect(matrix).toBeGreaterThan(width);
  });

  test('asked its own folder only and broke no policy', () => {
    expect(browser.requests().some((url) => url.endsWith('.wasm'))).toBe(true);
    expect(browser.foreignRequests()).toEqual([]);
    expect(browser.violations()).toEqual([]);
  });
});

/** In the page. A cell is what it says; what is masked says a dot. */
function readTable() {
  const textOf = (cells) => Array.from(cells, (cell) => cell.textContent);
  return {
    columns: textOf(document.querySelectorAll('thead th')),
    names: textOf(document.querySelectorAll('tbody th')),
    rows: Array.from(document.querySelectorAll('tbody tr'), (row) => textOf(row.querySelectorAll('td'))),
  };
}

/** By the formula: softmax of 4 times the cosine of counts of letters, over the words so far. */
function expectAttention({ columns, names, rows }, sentence) {
  const words = sentence.split(' ');
  expect({ columns, names }).toEqual({ columns: words, names: words });
  for (const [query, row] of rows.entries()) {
    const scores = words.slice(0, query + 1).map((word) => 4 * cosine(words[query], word));
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
    expect(row).toHaveLength(words.length);
    for (const [key, shown] of row.entries()) {
      // Two digits are shown, of float32.
      if (key <= query) expect(Math.abs(Number(shown) - Math.exp(scores[key]) / sum)).toBeLessThanOrEqual(0.005 + 1e-5);
      else expect(shown).toBe('·');
    }
  }
}

function cosine(one, other) {
  const count = (word, letter) => word.split(letter).length - 1;
  const alphabet = [...'abcdefghijklmnopqrstuvwxyz'];
  const dot = (a, b) => alphabet.reduce((sum, letter) => sum + count(a, letter) * count(b, letter), 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}
