// The whole first journey without a pointer, with the focus in sight at every stop.
import { expect, test } from 'vitest';
import { readProjections } from '../browser/minilm.mjs';
import { shown } from './chromium.mjs';
import { tabStops, tabTo } from './focus.mjs';
import { lockedPair, lockedTokens, matrix, shownState, tableValues, tokenNames } from './hooks.mjs';
import { weightsOf } from './oracle.mjs';
import { sentence } from './site.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();
const typed = 'The trophy did not fit into the suitcase because it was too big.';
/** Between the page's double precision and the oracle's, of the engine's float32 numbers. */
const tolerance = 1e-5;

const expectPair = async (page, expected, weight) => {
  const { text, value } = await lockedPair(page);
  expect(text).toMatch(expected);
  expect(Math.abs(Number(value) - weight)).toBeLessThanOrEqual(tolerance);
};

test('Tab stops once at every thing, in the order of the page, and shows where it is', async () => {
  const page = await explorer.open();
  const stops = await tabStops(page);
  expect(stops.filter(({ isVisible }) => !isVisible)).toEqual([]);
  const names = stops.map(({ name }) => name);
  const order = [
    'Explore',
    'Share',
    'Dark colours',
    'Text',
    'Shown',
    'it',
    'Table',
    'Export',
    'Unlock',
    'Layer 3, head 1',
  ];
  expect(names.filter((name) => order.includes(name))).toEqual(order);
});

test('from the text over tokens, matrix, table and heads to the panels', async () => {
  const page = await explorer.open();
  await tabTo(page, 'textarea');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type(typed);
  await shown(page, { text: typed });
  const { tokens, layers } = await readProjections(typed);
  const weight = weightsOf(layers);
  expect(await tokenNames(page)).toEqual(tokens);
  const [it, trophy, big] = ['it', 'trophy', 'big'].map((token) => tokens.indexOf(token));

  // A token: arrows lead to it, Enter locks it with what it attends to most.
  await tabTo(page, '.token');
  await page.keyboard.press('Home');
  for (let count = 0; count < it; count++) await page.keyboard.press('ArrowRight');
  expect(await page.evaluate(() => document.activeElement.getAttribute('aria-label'))).toBe('it');
  await page.keyboard.press('Enter');
  const row = tokens.map((_, key) => weight(3, 1, it, key));
  const strongest = row.indexOf(Math.max(...row));
  expect(await lockedTokens(page)).toEqual([it]);
  await expectPair(page, new RegExp(`^it → ${tokens[strongest]}, \\d\\.\\d\\d, rank 1$`), row[strongest]);

  // A second one beside it.
  await tabTo(page, '.tokens input[type="checkbox"]', 'Shift+Tab');
  while (!(await page.evaluate(() => document.activeElement.closest('label').textContent.includes('several'))))
    await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Space');
  await tabTo(page, '.token');
  await page.keyboard.press('End');
  for (let count = tokens.length - 1; count > big; count--) await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  expect(await lockedTokens(page)).toEqual([it, big]);
  await tabTo(page, '.panel .button');
  expect(await page.evaluate(() => document.activeElement.textContent)).toBe('Unlock 2');
  await page.keyboard.press('Enter');
  expect(await lockedTokens(page)).toEqual([]);

  // Cells: from the strongest pair on.
  await tabTo(page, '[data-testid="matrix"]', 'Shift+Tab');
  await page.keyboard.press('ArrowUp');
  const [first] = await lockedTokens(page);
  for (let count = first; count < it; count++) await page.keyboard.press('ArrowDown');
  for (let count = first; count > it; count--) await page.keyboard.press('ArrowUp');
  for (let count = 0; count < tokens.length; count++) await page.keyboard.press('ArrowLeft');
  await expectPair(page, /^it → \[CLS\], /, weight(3, 1, it, 0));
  for (let count = 0; count < trophy; count++) await page.keyboard.press('ArrowRight');
  await expectPair(page, /^it → trophy, /, weight(3, 1, it, trophy));
  await page.keyboard.press('+');
  expect(await matrix(page).getAttribute('data-zoomed')).toBe('true');
  await page.keyboard.press('-');
  expect(await matrix(page).getAttribute('data-zoomed')).toBe('false');
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await page.keyboard.press('0');
  expect(await matrix(page).getAttribute('data-zoomed')).toBe('false');

  // The same as numbers.
  await tabTo(page, '.matrix .button[aria-pressed]', 'Shift+Tab');
  expect(await page.evaluate(() => document.activeElement.textContent)).toBe('Table');
  await page.keyboard.press('Enter');
  const values = await tableValues(page);
  expect(values).toHaveLength(tokens.length);
  const worst = Math.max(
    ...values.flatMap((line, query) => line.map((value, key) => Math.abs(value - weight(3, 1, query, key)))),
  );
  expect(worst).toBeLessThanOrEqual(tolerance);
  await page.keyboard.press('Enter');

  // Heads.
  await tabTo(page, '[role="radio"][aria-checked]');
  await page.keyboard.press('ArrowRight');
  await shown(page, { head: '3.2' });
  await expectPair(page, /^it → trophy, /, weight(3, 2, it, trophy));
  await page.keyboard.press('End');
  await shown(page, { head: '5.11' });
  await expectPair(page, /^it → trophy, /, weight(5, 11, it, trophy));
  await page.keyboard.press('Home');
  await shown(page, { head: '0.0' });

  // Escape lets go of what is locked, wherever the focus is.
  await page.keyboard.press('Escape');
  expect(await lockedTokens(page)).toEqual([]);

  // Panels, by the arrows of their tabs.
  await tabTo(page, '[role="tab"]', 'Shift+Tab');
  for (const name of ['masks', 'compare', 'learn', 'speed']) {
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector(`#panel[data-panel="${name}"]`);
    expect(await page.getByRole('tab', { selected: true }).getAttribute('data-panel')).toBe(name);
    const { text } = await shownState(page);
    expect(text).toBe(typed);
  }
  await page.keyboard.press('Home');
  await page.waitForSelector('#panel[data-panel="explore"]');
});

test('the opening example is for the keyboard before any weights have arrived', async () => {
  const page = await explorer.page({ isFirstVisit: true });
  await page.route('**/*.safetensors', () => {});
  await page.goto(explorer.url);
  await tabTo(page, '.token');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  expect(await shownState(page)).toMatchObject({ state: 'loading', text: sentence });
  expect((await lockedPair(page)).text).toMatch(/^was → /);
});
