// The built explorer page as a visitor uses it, from a sub-path and under the policy it is meant to be hosted with.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { colorsOf } from '../explorer/oracle.mjs';
import { sentence, serveExplorer } from '../explorer/site.mjs';
import { engines, launch } from './drivers/index.mjs';
import { readInNode } from './minilm.mjs';

// Between variants: the plain and the relaxed one round differently, and MiniLM's six layers carry it on.
const tolerance = 1e-4;
// Between the weights rounded to 8 bits, which the page has, and PyTorch's figures of the float32 model.
const rounding = 0.005;

let server;
beforeAll(async () => {
  server = await serveExplorer();
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
    expect(Math.abs(value - 0.688)).toBeLessThanOrEqual(rounding);
    expect(await browser.evaluate(openedHead)).toEqual({ layer: 3, head: 1, heads: 72 });
  });

  test('shows as a table what the model computes, and draws what the table says', async () => {
    const expected = await readInNode(sentence);
    const size = expected.tokens.length;
    const { renderer, pixels } = await browser.evaluate(readCells, size);
    expect(renderer).toBe('webgl2');
    await browser.evaluate(focusButton, 'Table');
    await browser.press('Enter');
    await browser.waitFor(() => document.querySelector('[data-testid="matrix-table"]') !== null);
    const table = await browser.evaluate(readTable);
    expect(table.tokens).toEqual(expected.tokens);
    expect(table.rows).toHaveLength(size);
    for (const [query, row] of table.rows.entries()) {
      expect(row).toHaveLength(size);
      for (const [key, value] of row.entries()) {
        expect(Math.abs(value - expected.at(3, 1, query, key))).toBeLessThanOrEqual(tolerance);
        expect(colorsOf(value)).toContainEqual(pixels[query][key]);
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
    expect(Math.abs(last.value - 0.658)).toBeLessThanOrEqual(rounding);
    expect(Math.abs(last.value - expected.at(5, 11, it, animal))).toBeLessThanOrEqual(tolerance);
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

function readCells(size) {
  const source = document.querySelector('[data-testid="matrix"] canvas');
  const { width, height } = source;
  const copy = Object.assign(document.createElement('canvas'), { width, height });
  const context = copy.getContext('2d');
  context.drawImage(source, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const middle = (index, length) => Math.floor(((index + 0.5) * length) / size);
  const cells = Array.from({ length: size }, (_, index) => index);
  const pixelAt = (query, key) => 4 * (middle(query, height) * width + middle(key, width));
  const pixels = cells.map((query) =>
    cells.map((key) => [...data.slice(pixelAt(query, key), pixelAt(query, key) + 4)]),
  );
  return { renderer: source.dataset.renderer, pixels };
}

function openedHead() {
  const { layer, head } = document.querySelector('[role="radio"][aria-checked="true"]').dataset;
  return { layer: Number(layer), head: Number(head), heads: document.querySelectorAll('[role="radio"]').length };
}

/** Chosen, and its weights on screen. */
function isOpen(layer, head) {
  const isChosen = document.querySelector(`[data-layer="${layer}"][data-head="${head}"]`).ariaChecked === 'true';
  return isChosen && document.querySelector('#root').dataset.head === `${layer}.${head}`;
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
