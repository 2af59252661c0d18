// Every picture on the page is of the engine's numbers: pixels, through the colour table, against softmax in plain loops.
import { createAttention } from 'attention-wasm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { longSequence } from '../../demo/src/engine/long.ts';
import { readProjections } from '../browser/minilm.mjs';
import { launchChromium, openReady, shown } from './chromium.mjs';
import { weightsOf } from './oracle.mjs';
import { canvasSize, differingCells, differingThumbnails, settled } from './pixels.mjs';
import { sentence, serveExplorer } from './site.mjs';

const paragraph = `${sentence} The street did not cross the animal because it was too wide. ${sentence} It rained.`;
const pages = Array.from({ length: 6 }, (_, i) => `${paragraph} Page ${i} ends here; the next one begins.`).join(' ');
const seed = 20_261_126;

let server;
let chromium;
beforeAll(async () => {
  server = await serveExplorer();
  chromium = await launchChromium();
});
afterAll(async () => {
  await chromium?.close();
  await server?.close();
});

/** Opens an address in a fresh page. What it shows is what `hash` asks for, from the first answer of the model. */
async function open(renderer, hash, options) {
  const page = await chromium.page(options);
  const fragment = new URLSearchParams(hash);
  await openReady(page, `${server.url}${renderer === 'canvas2d' ? '?renderer=canvas2d' : ''}#${fragment}`);
  await settled(page);
  expect((await canvasSize(page, '[data-testid="matrix"] canvas')).renderer).toBe(renderer);
  return page;
}

/** Opens a text under a lens and compares its matrix and its thumbnails. */
async function compare(renderer, { text = sentence, place = [3, 1], hash = {}, lens = {}, heads = 12, ...more }) {
  const { mask, options } = more;
  const { tokens } = await readProjections(text);
  const rule = mask && ((query, key) => mask(query, key, tokens.length));
  const { layers } = await readProjections(text, rule && { mask: dense(rule, tokens.length) });
  const [from, to] = lens.hidden ? [1, tokens.length - 1] : [0, tokens.length];
  const weight = weightsOf(layers, { ...lens, ...(lens.hidden && { inner: [from, to] }), ...(rule && { rule }) });
  const [layer, head] = place;
  const page = await open(renderer, { text, layer, head, ...hash }, options);
  const length = to - from;
  const cells = await differingCells(page, (row, column) => weight(layer, head, from + row, from + column), {
    length,
    seed,
  });
  const shifted = (layer, head, row, column) => weight(layer, head, from + row, from + column);
  const thumbnails = await differingThumbnails(page, shifted, { length, layers: layers.length, heads, seed });
  expect(page.problems).toEqual([]);
  await page.close();
  return { cells, thumbnails };
}

function dense(rule, size) {
  const data = Uint8Array.from({ length: size * size }, (_, i) => Number(rule(Math.floor(i / size), i % size)));
  return { data, shape: [size, size], dtype: 'bool' };
}

const nothing = { cells: [], thumbnails: [] };

describe.each(['webgl2', 'canvas2d'])('drawn with %s', (renderer) => {
  test('heads of the opening sentence, one after the other', async () => {
    const { tokens, layers } = await readProjections(sentence);
    const weight = weightsOf(layers);
    const page = await open(renderer, { layer: 3, head: 1 });
    for (const [layer, head] of [
      [3, 1],
      [0, 0],
      [2, 9],
      [5, 11],
    ]) {
      await page.getByRole('radio', { name: `Layer ${layer}, head ${head}`, exact: true }).click();
      await shown(page, { head: `${layer}.${head}` });
      await settled(page);
      const cells = (row, column) => weight(layer, head, row, column);
      expect(await differingCells(page, cells, { length: tokens.length, seed })).toEqual([]);
    }
    const all = { length: tokens.length, layers: layers.length, heads: 12, seed };
    expect(await differingThumbnails(page, weight, all)).toEqual([]);
    expect(page.problems).toEqual([]);
    await page.close();
  });

  test('at one and a half pixels a CSS pixel', async () => {
    expect(await compare(renderer, { options: { deviceScaleFactor: 1.5 } })).toEqual(nothing);
  });

  test('a text whose thumbnails are pooled', async () => {
    expect(await compare(renderer, { text: paragraph, place: [4, 7] })).toEqual(nothing);
  });

  test('a text whose matrix is pooled', async () => {
    expect(await compare(renderer, { text: pages, place: [1, 3] })).toEqual(nothing);
  });

  test('without separators, renormalised', async () => {
    expect(await compare(renderer, { hash: { hide: 'separators' }, lens: { hidden: true } })).toEqual(nothing);
  });

  test('weighted by values', async () => {
    expect(await compare(renderer, { hash: { show: 'value' }, lens: { value: true } })).toEqual(nothing);
  });

  test('weighted by values, without separators', async () => {
    const hash = { show: 'value', hide: 'separators' };
    expect(await compare(renderer, { hash, lens: { value: true, hidden: true } })).toEqual(nothing);
  });

  test('rolled out over layers', async () => {
    const asked = { place: [4, 0], hash: { show: 'rollout' }, lens: { rollout: true }, heads: 1 };
    expect(await compare(renderer, asked)).toEqual(nothing);
  });

  test('under a mask that the model read with', async () => {
    const mask = (query, key, size) =>
      key <= query && (query - key <= 3 || key === 0) && key < size - 2 && !(query >= 4 && query < 7 && key === 3);
    const hash = { mask: 'causal window.3 padding.2 global.0 block.4.7.3.4' };
    expect(await compare(renderer, { place: [2, 4], hash, mask })).toEqual(nothing);
  });

  test('zoomed and moved', async () => {
    const { tokens, layers } = await readProjections(paragraph);
    const weight = weightsOf(layers);
    const length = tokens.length;
    const [row, column] = [20, 9];
    const page = await open(renderer, { text: paragraph, layer: 3, head: 1, pairs: `${row}-${column}` });
    const cells = (window) => differingCells(page, (query, key) => weight(3, 1, query, key), { length, window, seed });
    await page.getByTestId('matrix').focus();
    let window = { top: 0, left: 0, rows: length, columns: length };
    for (let count = 0; count < 2; count++) {
      await page.keyboard.press('+');
      window = halved(window, row + 0.5, column + 0.5);
      await settled(page);
      expect(await cells(window)).toEqual([]);
    }
    const box = await page.locator('[data-testid="matrix"] canvas').boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x - 40, y - 30, { steps: 4 });
    await page.mouse.up();
    await settled(page);
    const [right, down] = [(40 * window.columns) / box.width, (30 * window.rows) / box.height];
    expect(await cells({ ...window, top: window.top + down, left: window.left + right })).toEqual([]);
    expect(page.problems).toEqual([]);
    await page.close();
  });

  test('4,096 tokens, whole and zoomed', async () => {
    const [length, head, row, column] = [4096, 2, 2600, 2500];
    const weight = await longWeights(length);
    const page = await open(renderer, { model: 'long', length, layer: 0, head, pairs: `${row}-${column}` });
    const cells = (window) =>
      differingCells(page, (query, key) => weight(0, head, query, key), { length, window, seed });
    expect(await cells()).toEqual([]);
    await page.getByTestId('matrix').focus();
    let window = { top: 0, left: 0, rows: length, columns: length };
    for (const zooms of [3, 4]) {
      for (let count = 0; count < zooms; count++) {
        await page.keyboard.press('+');
        window = halved(window, row + 0.5, column + 0.5);
      }
      await settled(page);
      expect(await cells(window)).toEqual([]);
    }
    // Each is of 128 × 128 weights.
    const few = { length, layers: 1, heads: 4, seed, count: 16 };
    expect(await differingThumbnails(page, weight, few)).toEqual([]);
    expect(page.problems).toEqual([]);
    await page.close();
  });
});

let long;
/** Of the page's sequence without a model; kept for both renderers. */
async function longWeights(length) {
  if (long) return long;
  const attention = await createAttention();
  const { layer } = longSequence(attention, length, 4);
  attention.dispose();
  const [query, key] = [layer.query, layer.key].map((data) => ({ data, shape: [1, 4, length, layer.dims] }));
  long = weightsOf([{ query, key, scale: layer.scale }]);
  return long;
}

/** Half as many cells, with the point (row, column) where it was. */
function halved({ top, left, rows, columns }, row, column) {
  return {
    top: row - (row - top) / 2,
    left: column - (column - left) / 2,
    rows: rows / 2,
    columns: columns / 2,
  };
}
