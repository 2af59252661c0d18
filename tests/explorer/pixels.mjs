// Which pixels of the page are cells, which cells they are, and what colour they have.
import { colorsOf, largestOf, randomFrom } from './oracle.mjs';

/** Every picture is asked for so many of its cells. */
const samples = 200;

/** Of a pixel: so near to the edge of two cells, a rasteriser that counts in sixteenths takes either. */
const onEdge = 0.04;

/** Pixels of a canvas, of WebGL too, as [r, g, b, a] each. */
export const readPixels = (page, selector, points) => page.evaluate(pixelsOf, { selector, points });

export const canvasSize = (page, selector) =>
  page.$eval(selector, ({ width, height, dataset }) => ({ width, height, renderer: dataset.renderer }));

/** Until the matrix has all its tiles: those that come may ask for more. */
export async function settled(page, selector = '[data-testid="matrix"] canvas') {
  await page.evaluate(twoFrames);
  await page.waitForFunction((name) => document.querySelector(name)?.dataset.complete === 'true', selector);
  await page.evaluate(twoFrames);
}

/**
 * Compares cells of a matrix of `length` tokens, of which `window` is in sight, with `weight(row, column)`. Says what
 * differs, and with which seed.
 */
export async function differingCells(page, weight, { length, window, seed, selector, scale }) {
  const name = selector ?? '[data-testid="matrix"] canvas';
  const { width, height } = await canvasSize(page, name);
  const seen = window ?? { top: 0, left: 0, rows: length, columns: length };
  const random = randomFrom(seed);
  const [down, across] = axesOf(seen, length, width, height);
  const chosen = [];
  while (chosen.length < samples) {
    const [y, x] = [down.pick(random()), across.pick(random())];
    if (y && x) chosen.push({ point: [x.pixel, y.pixel], rows: y.cells, columns: x.cells });
  }
  const pixels = await readPixels(
    page,
    name,
    chosen.map(({ point }) => point),
  );
  return chosen.flatMap(({ point, rows, columns }, i) => {
    const value = largestOf(weight, rows, columns);
    const colors = colorsOf(value, scale);
    if (colors.some((color) => String(color) === String(pixels[i]))) return [];
    return `seed ${seed}, rows ${rows}, columns ${columns}, pixel ${point}: ${value} is ${colors.join(' or ')}, not ${pixels[i]}`;
  });
}

/** The pictures of all heads, a pixel a cell: of more than 32 tokens each is the largest of its block. */
export async function differingThumbnails(page, weight, { length, layers, heads, seed, count = samples }) {
  const random = randomFrom(seed);
  const side = Math.min(32, length);
  const block = (cell) => [Math.floor((cell * length) / side), Math.floor(((cell + 1) * length) / side)];
  const upTo = (count) => Math.floor(random() * count);
  const chosen = Array.from({ length: count }, () => [upTo(layers), upTo(heads), upTo(side), upTo(side)]);
  const pixels = await page.evaluate(thumbnailPixels, chosen);
  return chosen.flatMap(([layer, head, row, column], i) => {
    const value = largestOf((query, key) => weight(layer, head, query, key), block(row), block(column));
    const colors = colorsOf(value);
    if (colors.some((color) => String(color) === String(pixels[i]))) return [];
    return `seed ${seed}, head ${layer}.${head}, cell ${[row, column]}: ${value} is ${colors.join(' or ')}, not ${pixels[i]}`;
  });
}

/**
 * How rows (or columns) lie on pixels. A cell that is smaller than a pixel is pooled: 2ⁿ rows a cell, so that it is one
 * at least, in tiles of 256 cells, and never fewer than 256 cells for the whole.
 */
function axesOf({ top, left, rows, columns }, length, width, height) {
  const coarsest = levelOf(length, 256);
  const levels = [levelOf(rows, height), levelOf(columns, width)].map((level) => Math.min(level, coarsest));
  const isWhole = levels.every((level) => level === coarsest);
  const axis = (from, count, pixels, level) => {
    const span = isWhole ? length : 256 * 2 ** level;
    const cellsOf = (size) => (isWhole ? Math.min(256, size) : Math.ceil(size / 2 ** level));
    return { pick: (share) => pick(Math.floor(share * pixels), { from, count, pixels, span, cellsOf, length }) };
  };
  return [axis(top, rows, height, levels[0]), axis(left, columns, width, levels[1])];
}

const levelOf = (cells, pixels) => Math.max(0, Math.ceil(Math.log2(cells / pixels)));

/** The rows that a pixel shows; none where it lies on the edge of two cells. */
function pick(pixel, { from, count, pixels, span, cellsOf, length }) {
  const place = from + ((pixel + 0.5) * count) / pixels;
  const start = Math.floor(place / span) * span;
  const size = Math.min(length, start + span) - start;
  const cells = cellsOf(size);
  const at = ((place - start) * cells) / size;
  const cell = Math.floor(at);
  const edge = Math.min(at - cell, cell + 1 - at) * ((size / cells) * (pixels / count));
  if (edge < onEdge) return null;
  const bound = (i) => start + Math.floor((i * size) / cells);
  return { pixel, cells: [bound(cell), bound(cell + 1)] };
}

// These run in the page.

function pixelsOf({ selector, points }) {
  const source = document.querySelector(selector);
  const copy = document.createElement('canvas');
  copy.width = source.width;
  copy.height = source.height;
  const context = copy.getContext('2d');
  context.drawImage(source, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  return points.map(([x, y]) => [...data.subarray(4 * (y * copy.width + x), 4 * (y * copy.width + x) + 4)]);
}

function thumbnailPixels(cells) {
  const copy = document.createElement('canvas');
  const context = copy.getContext('2d', { willReadFrequently: true });
  return cells.map(([layer, head, row, column]) => {
    const picture = document.querySelector(`[data-layer="${layer}"][data-head="${head}"] canvas`);
    context.clearRect(0, 0, 1, 1);
    context.drawImage(picture, column, row, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  });
}

async function twoFrames() {
  for (let i = 0; i < 2; i++) await new Promise((done) => requestAnimationFrame(done));
}
