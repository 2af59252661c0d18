// The numbers beside the pictures: steps, order of heads, comparisons, and what a switched-off head changes.
import { expect, test } from 'vitest';
import { readProjections } from '../browser/minilm.mjs';
import { shown } from './chromium.mjs';
import { field, head, lockedPair, tab } from './hooks.mjs';
import { weightsOf } from './oracle.mjs';
import { differingCells, settled } from './pixels.mjs';
import { sentence } from './site.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();
const { tokens, layers, last } = await readProjections(sentence);
const weight = weightsOf(layers);
const size = tokens.length;
const [it, animal] = ['it', 'animal'].map((name) => tokens.indexOf(name));

/** Of rows of [data-value] cells. */
const valuesOf = (locator) =>
  locator.evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll('[data-value]')].map((cell) => Number(cell.dataset.value))),
  );

const close = (a, b, tolerance = 1e-4) => Math.abs(a - b) <= tolerance;

test('step by step: dot product, score, exponential and weight of every key', async () => {
  const page = await explorer.open();
  await page.getByText('Step by step').click();
  const more = page.getByRole('button', { name: /^Show all/ });
  await more.click();
  const rows = page.locator('[data-testid="steps-keys"] tbody tr');
  expect(await rows.count()).toBe(size);
  const keys = await rows.evaluateAll((all) => all.map((row) => Number(row.dataset.key)));
  const values = await valuesOf(rows);
  const { query: q, key: k, scale } = layers[3];
  const dims = q.shape[3];
  const dot = (key) => {
    let sum = 0;
    for (let d = 0; d < dims; d++) sum += q.data[(size + it) * dims + d] * k.data[(size + key) * dims + d];
    return sum;
  };
  const largest = Math.max(...keys.map((key) => scale * dot(key)));
  expect(keys.toSorted((a, b) => a - b)).toEqual(tokens.map((_, i) => i));
  for (const [i, key] of keys.entries()) {
    const expected = [dot(key), scale * dot(key), Math.exp(scale * dot(key) - largest), weight(3, 1, it, key)];
    expect(values[i].map((value, n) => close(value, expected[n], 1e-4))).toEqual([true, true, true, true]);
    if (i > 0) expect(values[i][3]).toBeLessThanOrEqual(values[i - 1][3]);
  }
});

test('heads in the order of a pair’s weight, and of looking at the token before', async () => {
  const page = await explorer.open();
  const order = () =>
    page.locator('.ranked-head').evaluateAll((all) =>
      all.map((one) => {
        const { layer, head } = one.querySelector('[role="radio"]').dataset;
        return { layer: Number(layer), head: Number(head), value: Number(one.dataset.value) };
      }),
    );
  const measures = {
    pair: (layer, index) => weight(layer, index, it, animal),
    previous: (layer, index) =>
      tokens.slice(1).reduce((sum, _, i) => sum + weight(layer, index, i + 1, i), 0) / (size - 1),
  };
  await page.getByLabel('sort').selectOption('pair');
  for (const by of ['pair', 'previous']) {
    await page.getByLabel('sort').selectOption(by);
    await page.waitForSelector(`[data-testid="heads"][data-order="${by}"] .ranked-head`);
    const found = await order();
    expect(found).toHaveLength(72);
    for (const [i, { layer, head, value }] of found.entries()) {
      if (by === 'pair') expect(close(value, measures[by](layer, head))).toBe(true);
      if (i > 0) expect(value).toBeLessThanOrEqual(found[i - 1].value);
    }
    const best = found.reduce((most, one) =>
      measures[by](one.layer, one.head) > measures[by](most.layer, most.head) ? one : most,
    );
    expect(found[0]).toEqual(best);
  }
  // From another token, without leaving the list.
  await page.getByLabel('sort').selectOption('pair');
  await page.getByLabel('From token').selectOption({ label: 'tired' });
  await expect.poll(async () => (await lockedPair(page)).text).toMatch(/^tired → animal, /);
  const tired = tokens.indexOf('tired');
  await expect
    .poll(async () =>
      (await order()).every(({ layer, head, value }) => close(value, weight(layer, head, tired, animal))),
    )
    .toBe(true);
});

test('two heads side by side, and what one has more', async () => {
  const page = await explorer.open();
  await tab(page, 'Compare').click();
  await page.getByRole('button', { name: 'Pin this view as A' }).click();
  await head(page, 5, 11).click();
  await shown(page, { head: '5.11' });
  const [a, b] = [weight(3, 1, it, animal), weight(5, 11, it, animal)];
  const figures = async () => (await valuesOf(page.getByTestId('compared-pair')))[0];
  await expect.poll(async () => (await figures()).every((value, i) => close(value, [a, b, b - a][i]))).toBe(true);

  const canvas = (name) => `[data-testid="${name}"] canvas`;
  for (const [name, expected, scale] of [
    ['matrix-a', (row, column) => weight(3, 1, row, column)],
    ['matrix', (row, column) => weight(5, 11, row, column)],
    ['matrix-difference', (row, column) => weight(5, 11, row, column) - weight(3, 1, row, column), 'differences'],
  ]) {
    await settled(page, canvas(name));
    const cells = await differingCells(page, expected, { length: size, seed: 11, selector: canvas(name), scale });
    expect({ name, cells }).toEqual({ name, cells: [] });
  }
  const changes = await page.$$eval('[data-testid="changes"] [data-value]', (all) =>
    all.map((one) => Number(one.dataset.value)),
  );
  const all = tokens.flatMap((_, q) => tokens.map((_, k) => weight(5, 11, q, k) - weight(3, 1, q, k)));
  const most = all.toSorted((x, y) => Math.abs(y) - Math.abs(x)).slice(0, changes.length);
  expect(changes.every((value, i) => close(value, most[i]))).toBe(true);

  await page.getByRole('button', { name: 'Swap' }).click();
  await shown(page, { head: '3.1' });
  await expect.poll(async () => (await figures()).every((value, i) => close(value, [b, a, a - b][i]))).toBe(true);
});

test('another text under a pinned one: tokens that both have are compared', async () => {
  const page = await explorer.open();
  await tab(page, 'Compare').click();
  await page.getByRole('button', { name: 'Pin this view as A' }).click();
  const text = sentence.replace('tired', 'wide');
  await field(page).fill(text);
  await shown(page, { text });
  const other = await readProjections(text);
  const weightB = weightsOf(other.layers);
  const expected = [weight(3, 1, it, animal), weightB(3, 1, it, animal)];
  const figures = async () => (await valuesOf(page.getByTestId('compared-pair')))[0];
  await expect
    .poll(async () => (await figures()).slice(0, 2).every((value, i) => close(value, expected[i])))
    .toBe(true);
});

test('a switched-off head and another temperature change later layers as they do in Node', async () => {
  const page = await explorer.open({ hash: { panel: 'compare', layer: 2, head: 7, off: '2.7 4.0', temperature: 1.5 } });
  await page.getByTestId('effects').waitFor();
  const after = await readProjections(sentence, {
    ablateHeads: [
      [2, 7],
      [4, 0],
    ],
    attentionTemperature: 1.5,
  });
  const mean = ({ data, shape: [, , width] }) => {
    const sums = new Float64Array(width);
    data.forEach((value, i) => {
      sums[i % width] += value / size;
    });
    return sums;
  };
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  const [x, y] = [mean(last), mean(after.last)];
  const cosine = dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  const shownCosine = page.locator('[data-testid="effects"] dd[data-value]').first();
  expect(close(Number(await shownCosine.getAttribute('data-value')), cosine, 1e-5)).toBe(true);
  expect(cosine).toBeLessThan(0.999);

  // Chips switch them on again.
  expect(await page.getByRole('list', { name: 'Heads switched off' }).getByRole('listitem').count()).toBe(2);
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect.poll(async () => Number((await lockedPair(page)).value)).toBeCloseTo(weight(2, 7, it, animal), 4);
});
