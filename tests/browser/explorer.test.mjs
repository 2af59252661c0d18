// The built explorer page as a visitor uses it, from a sub-path and under the policy it is meant to be hosted with.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentSecurityPolicy, serve } from '../../scripts/lib/serve.mjs';
import { engines, launch, violationPath } from './drivers/index.mjs';
import { readInNode } from './minilm.mjs';

const root = fileURLToPath(new URL('../../demo/dist', import.meta.url));
const sentence = 'The animal did not cross the street because it was too tired.';
const headers = { 'content-security-policy': `${contentSecurityPolicy}; report-uri ${violationPath}` };
// Between variants: the plain and the relaxed one round differently, and MiniLM's six layers carry it on.
const tolerance = 1e-4;

let server;
beforeAll(async () => {
  if (!existsSync(`${root}/index.html`)) throw new Error('demo/dist is not built. Run: npm test');
  server = await serve({ root, base: '/some/where/', headers });
});
afterAll(() => server?.close());

describe.each(engines)('in %s', (engine) => {
  let browser;
  beforeAll(async () => {
    browser = await launch(engine);
    await browser.open(server.url);
    await browser.waitFor(() => document.querySelector('[data-state="ready"]') !== null);
  });
  afterAll(() => browser?.close());

  test('opens with the head that links "it" to "animal"', async () => {
    const { text, value } = await browser.evaluate(readPair);
    expect(text).toMatch(/^it → animal, 0\.69, rank 1$/);
    expect(Math.abs(value - 0.688)).toBeLessThanOrEqual(0.002);
    expect(await browser.evaluate(openedHead)).toEqual({ layer: 3, head: 1, heads: 72 });
  });

  test('draws every weight in its place: the larger, the brighter', async () => {
    const expected = await readInNode(sentence);
    const brightness = await browser.evaluate(readBrightness, expected.tokens.length);
    const cells = brightness.flatMap((row, query) =>
      row.map((bright, key) => ({ bright, weight: expected.at(3, 1, query, key) })),
    );
    cells.sort((a, b) => a.weight - b.weight);
    expect(cells).toHaveLength(225);
    expect(cells.at(-1).bright - cells[0].bright).toBeGreaterThan(128);
    // Of 256, for the rounding of three colour channels.
    for (const [index, { bright }] of cells.slice(1).entries()) {
      expect(bright - cells[index].bright).toBeGreaterThanOrEqual(-1);
    }
  });

  test('shows as a table what the model computes', async () => {
    await browser.evaluate(focusButton, 'Table');
    await browser.press('Enter');
    await browser.waitFor(() => document.querySelector('[data-testid="matrix-table"]') !== null);
    const expected = await readInNode(sentence);
    const table = await browser.evaluate(readTable);
    expect(table.tokens).toEqual(expected.tokens);
    expect(table.rows).toHaveLength(expected.tokens.length);
    for (const [query, row] of table.rows.entries()) {
      expect(row).toHaveLength(expected.tokens.length);
      for (const [key, value] of row.entries()) {
        expect(Math.abs(value - expected.at(3, 1, query, key))).toBeLessThanOrEqual(tolerance);
      }
    }
  });

  test('the keyboard leads through the heads', async () => {
    const expected = await readInNode(sentence);
    const [it, animal] = ['it', 'animal'].map((token) => expected.tokens.indexOf(token));
    await browser.evaluate(() => document.querySelector('[role="radio"][aria-checked="true"]').focus());

    await browser.press('ArrowRight');
    await browser.waitFor(isOpen, { args: [3, 2] });
    const next = await browser.evaluate(readPair);
    expect(Math.abs(next.value - expected.at(3, 2, it, animal))).toBeLessThanOrEqual(tolerance);

    await browser.press('End');
    await browser.waitFor(isOpen, { args: [5, 11] });
    const last = await browser.evaluate(readPair);
    expect(Math.abs(last.value - 0.658)).toBeLessThanOrEqual(0.002);
  });

  test('typing changes what is shown', async () => {
    const typed = ' No bird was.';
    await browser.evaluate(() => {
      const field = document.querySelector('textarea');
      field.focus();
      field.setSelectionRange(field.value.length, field.value.length);
    });
    await browser.press(...typed);
    const expected = await readInNode(sentence + typed);
    await browser.waitFor(showsTokens, { args: [expected.tokens] });
    const table = await browser.evaluate(readTable);
    expect(table.tokens).toEqual(expected.tokens);
    const [from, to] = ['bird', 'animal'].map((token) => expected.tokens.indexOf(token));
    expect(Math.abs(table.rows[from][to] - expected.at(5, 11, from, to))).toBeLessThanOrEqual(tolerance);
  });

  test('asked its own folder only and broke no policy', () => {
    expect(browser.requests().some((url) => url.endsWith('.wasm'))).toBe(true);
    expect(browser.foreignRequests()).toEqual([]);
    const own = browser.requests().filter((url) => new URL(url).origin === new URL(server.url).origin);
    expect(own.filter((url) => !url.startsWith(server.url))).toEqual([]);
    expect(browser.violations()).toEqual([]);
  });
});

// These run in the page.

function readPair() {
  const element = document.querySelector('[data-testid="locked-pair"]');
  return { text: element.textContent, value: Number(element.dataset.value) };
}

function readBrightness(size) {
  const canvas = document.querySelector('[data-testid="matrix"] canvas');
  const context = canvas.getContext('2d');
  const middle = (index, length) => Math.floor(((index + 0.5) * length) / size);
  const cells = Array.from({ length: size }, (_, index) => index);
  return cells.map((query) =>
    cells.map((key) => {
      const { data } = context.getImageData(middle(key, canvas.width), middle(query, canvas.height), 1, 1);
      return 0.2126 * data[0] + 0.7152 * data[1] + 0.0722 * data[2];
    }),
  );
}

function openedHead() {
  const { layer, head } = document.querySelector('[role="radio"][aria-checked="true"]').dataset;
  return { layer: Number(layer), head: Number(head), heads: document.querySelectorAll('[role="radio"]').length };
}

function isOpen(layer, head) {
  return document.querySelector(`[data-layer="${layer}"][data-head="${head}"]`).ariaChecked === 'true';
}

function showsTokens(tokens) {
  const shown = [...document.querySelectorAll('[data-testid="tokens"] button')].map((button) => button.ariaLabel);
  return shown.join(' ') === tokens.join(' ');
}

function focusButton(name) {
  [...document.querySelectorAll('button')].find((button) => button.textContent === name).focus();
}

function readTable() {
  const table = document.querySelector('[data-testid="matrix-table"]');
  return {
    tokens: [...table.querySelectorAll('thead th')].map((cell) => cell.textContent),
    rows: [...table.querySelectorAll('tbody tr')].map((row) =>
      [...row.querySelectorAll('td')].map((cell) => Number(cell.dataset.value)),
    ),
  };
}
