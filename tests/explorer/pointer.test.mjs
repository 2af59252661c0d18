// The first journey by mouse, and by touch.
import { expect, test } from 'vitest';
import { readProjections } from '../browser/minilm.mjs';
import { shown } from './chromium.mjs';
import { cellPoint, field, head, lockedPair, lockedTokens, matrix, tab, token, tokenNames } from './hooks.mjs';
import { weightsOf } from './oracle.mjs';
import { sentence } from './site.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();
const { tokens, layers } = await readProjections(sentence);
const weight = weightsOf(layers);
const [it, animal, street] = ['it', 'animal', 'street'].map((name) => tokens.indexOf(name));
const strongest = (layer, index, query) => {
  const row = tokens.map((_, key) => weight(layer, index, query, key));
  return row.indexOf(Math.max(...row));
};
const readout = (page) => page.locator('.readout').textContent();
const saying = (query, key, value) => `${tokens[query]} → ${tokens[key]} ${value.toFixed(4)} rank`;

test('hovering reads, clicking locks, clicking again lets go', async () => {
  const page = await explorer.open();
  expect(await lockedTokens(page)).toEqual([it]);
  await token(page, street).hover();
  const key = strongest(3, 1, street);
  expect(await readout(page)).toContain(saying(street, key, weight(3, 1, street, key)));
  await page.mouse.move(2, 2);
  expect(await readout(page)).toContain(saying(it, animal, weight(3, 1, it, animal)));

  await token(page, street).click();
  expect(await lockedTokens(page)).toEqual([street]);
  await token(page, animal).click({ modifiers: ['Shift'] });
  expect(await lockedTokens(page)).toEqual([animal, street]);
  await page.getByRole('checkbox', { name: 'lock several' }).check();
  await token(page, it).click();
  expect(await lockedTokens(page)).toEqual([animal, it, street].sort((a, b) => a - b));
  await token(page, street).click();
  expect(await lockedTokens(page)).toEqual([animal, it].sort((a, b) => a - b));
  await page.getByRole('button', { name: 'Unlock 2' }).click();
  expect(await lockedTokens(page)).toEqual([]);
});

test('the matrix: hovering reads a cell, a click locks it, the wheel zooms, dragging moves', async () => {
  const page = await explorer.open();
  const size = tokens.length;
  await page.mouse.move(...(await cellPoint(page, street, it, size)));
  expect(await readout(page)).toContain(saying(street, it, weight(3, 1, street, it)));
  await page.mouse.click(...(await cellPoint(page, street, it, size)));
  expect((await lockedPair(page)).text).toMatch(/^street → it, /);

  const [x, y] = await cellPoint(page, it, it, size);
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -240);
  await expect.poll(() => matrix(page).getAttribute('data-zoomed')).toBe('true');
  // The cell under the pointer stays there.
  await expect.poll(() => readout(page)).toContain(saying(it, it, weight(3, 1, it, it)));
  const { width, height } = await page.locator('[data-testid="matrix"] canvas').boundingBox();
  await page.mouse.down();
  await page.mouse.move(x + width / 8, y + height / 8, { steps: 3 });
  await page.mouse.up();
  // What was under the pointer came along.
  await expect.poll(() => readout(page)).toContain(saying(it, it, weight(3, 1, it, it)));
  expect((await lockedPair(page)).text).toMatch(/^street → it, /);
  await page.getByRole('button', { name: 'Zoom out' }).click();
  await expect.poll(() => matrix(page).getAttribute('data-zoomed')).toBe('false');
});

test('a head is opened from its picture, and looked at in other ways', async () => {
  const page = await explorer.open();
  await head(page, 5, 11).click();
  await shown(page, { head: '5.11' });
  expect((await lockedPair(page)).text).toMatch(/^it → animal, 0\.6\d, rank 1$/);

  await page.getByRole('checkbox', { name: 'hide [CLS], [SEP]' }).check();
  await expect.poll(() => tokenNames(page)).toEqual(tokens.slice(1, -1));
  const inner = weightsOf(layers, { inner: [1, tokens.length - 1] });
  const shownPair = async () => Number((await lockedPair(page)).value);
  expect(Math.abs((await shownPair()) - inner(5, 11, it, animal))).toBeLessThanOrEqual(1e-5);
  expect(await page.getByText('rows renormalised').isVisible()).toBe(true);

  await page.getByLabel('Shown').selectOption('value');
  const shares = weightsOf(layers, { inner: [1, tokens.length - 1], value: true });
  await expect.poll(async () => Math.abs((await shownPair()) - shares(5, 11, it, animal)) <= 1e-5).toBe(true);

  await page.getByLabel('Shown').selectOption('rollout');
  const rolled = weightsOf(layers, { inner: [1, tokens.length - 1], rollout: true });
  await expect.poll(async () => Math.abs((await shownPair()) - rolled(5, 0, it, animal)) <= 1e-5).toBe(true);
  expect(await page.getByRole('radio', { name: /^Layer/ }).count()).toBe(6);
});

test('panels stand beside the text, its tokens and its heads', async () => {
  const page = await explorer.open();
  for (const name of ['Masks', 'Compare', 'Learn', 'Speed', 'Explore']) {
    await tab(page, name).click();
    await page.waitForSelector(`#panel[data-panel="${name.toLowerCase()}"]`);
    expect(await field(page).isVisible()).toBe(true);
    expect(await token(page, it).isVisible()).toBe(true);
    expect(await head(page, 5, 11).isVisible()).toBe(true);
  }
});

test('by touch, on a phone', async () => {
  const page = await explorer.open({ width: 360, height: 800, hasTouch: true, isMobile: true });
  await token(page, animal).tap();
  expect(await lockedTokens(page)).toEqual([animal]);
  await page.getByRole('button', { name: 'Show the matrix' }).tap();
  await matrix(page).scrollIntoViewIfNeeded();
  await page.touchscreen.tap(...(await cellPoint(page, street, animal, tokens.length)));
  expect((await lockedPair(page)).text).toMatch(/^street → animal, /);
  await head(page, 0, 5).tap();
  await shown(page, { head: '0.5' });
});
