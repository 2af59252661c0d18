// A mask is not painted over the weights: the model reads again under it.
import { expect, test } from 'vitest';
import { readProjections } from '../browser/minilm.mjs';
import { cellPoint, lockedPair, tab, tableValues, token } from './hooks.mjs';
import { weightsOf } from './oracle.mjs';
import { sentence } from './site.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();
const { tokens } = await readProjections(sentence);
const size = tokens.length;
const tolerance = 1e-5;

/** All weights of a head when the model has read the sentence under a rule. */
async function readUnder(rule) {
  const data = Uint8Array.from({ length: size * size }, (_, i) => Number(rule(Math.floor(i / size), i % size)));
  const { layers } = await readProjections(sentence, { mask: { data, shape: [size, size], dtype: 'bool' } });
  const weight = weightsOf(layers, { rule });
  return (layer, head) => tokens.map((_, query) => tokens.map((_, key) => weight(layer, head, query, key)));
}

const count = (rule) => tokens.flatMap((_, q) => tokens.map((_, k) => rule(q, k))).filter(Boolean).length;

async function openTable(page) {
  await page.getByRole('button', { name: 'Table', exact: true }).click();
}

const distance = (a, b) => Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i][j]))));

/** Until the page's table is what the oracle says, and its density too. */
async function expectUnder(page, rule, [layer, head] = [3, 1]) {
  const expected = (await readUnder(rule))(layer, head);
  await expect.poll(async () => distance(await tableValues(page), expected)).toBeLessThanOrEqual(tolerance);
  const density = page.getByTestId('mask-outcome').locator('dd[data-value]').first();
  expect(Number(await density.getAttribute('data-value'))).toBeCloseTo(count(rule) / size ** 2, 6);
}

test('causal, a window, padding, global tokens, and all of them', async () => {
  const page = await explorer.open();
  await openTable(page);
  await tab(page, 'Masks').click();
  await page.getByRole('checkbox', { name: /^causal/ }).check();
  await expectUnder(page, (query, key) => key <= query);
  await page.getByRole('checkbox', { name: /^sliding window/ }).check();
  await page.getByRole('spinbutton', { name: 'Tokens either side' }).fill('1');
  await expectUnder(page, (query, key) => key <= query && query - key <= 1);
  await page.getByRole('checkbox', { name: /^causal/ }).uncheck();
  await expectUnder(page, (query, key) => Math.abs(query - key) <= 1);
  const it = tokens.indexOf('it');
  await token(page, it).click();
  await token(page, it).click();
  await page.getByRole('button', { name: /^Add “it”/ }).click();
  const near = (query, key) => Math.abs(query - key) <= 1 || query === it || key === it;
  await expectUnder(page, near);
  await page.getByLabel(/^padding/).fill('3');
  await expectUnder(page, (query, key) => near(query, key) && key < size - 3);
  await page.getByRole('button', { name: 'Clear all' }).click();
  await expectUnder(page, () => true);
});

test('blocks, by hand and by number, one by one', async () => {
  const page = await explorer.open();
  await tab(page, 'Masks').click();
  await page.getByRole('button', { name: 'Paint' }).click();
  const from = await cellPoint(page, 2, 3, size);
  const to = await cellPoint(page, 5, 8, size);
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(...to, { steps: 4 });
  await page.mouse.up();
  await openTable(page);
  const painted = (query, key) => query >= 2 && query <= 5 && key >= 3 && key <= 8;
  await expectUnder(page, (query, key) => !painted(query, key));

  for (const [name, value] of [
    ['First row', 9],
    ['Last row', 9],
    ['First column', 2],
    ['Last column', 2],
  ])
    await page.getByLabel(name).fill(String(value));
  await page.getByRole('button', { name: 'Hide', exact: true }).click();
  await expectUnder(page, (query, key) => !painted(query, key) && !(query === 9 && key === 2));
  // it → animal is hidden now.
  expect((await lockedPair(page)).text).toMatch(/^it → animal, 0\.00, rank \d+$/);
  await page.getByRole('button', { name: 'Remove rows 2–5, columns 3–8' }).click();
  await expectUnder(page, (query, key) => !(query === 9 && key === 2), [3, 1]);
});

test('a query that may attend to nothing has a row of zeros, and nothing is NaN', async () => {
  const page = await explorer.open({ hash: { panel: 'masks', mask: `block.0.1.0.${size} block.4.6.0.${size}` } });
  await openTable(page);
  const values = await tableValues(page);
  for (const row of [0, 4, 5]) expect(values[row]).toEqual(tokens.map(() => 0));
  expect(values.flat().every(Number.isFinite)).toBe(true);
  expect(values[1].reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  expect(await page.locator('body').textContent()).not.toMatch(/NaN|Infinity|undefined/);
});
