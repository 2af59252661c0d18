// Every "try this" of the lessons does on the page what it says.
import { expect, test } from 'vitest';
import { field, lockedPair, shownState, tab, tableValues } from './hooks.mjs';
import { sentence } from './site.mjs';
import { lessons, openLesson } from './states.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();
const attempt = (page, id, n) => page.getByTestId(`try-${id}-${n}`).click();
const becomes = (page, state) => expect.poll(() => shownState(page)).toMatchObject(state);
const says = (page, text) => expect.poll(async () => (await lockedPair(page)).text).toMatch(text);

const tries = {
  pronoun: async (page) => {
    await attempt(page, 'pronoun', 2);
    await becomes(page, { text: sentence.replace('tired', 'wide'), head: '3.1' });
    await says(page, /^it → animal, 0\.\d\d, rank \d+$/);
    await attempt(page, 'pronoun', 1);
    await becomes(page, { text: sentence, head: '3.1' });
    await says(page, /^it → animal, 0\.69, rank 1$/);
  },
  'query-key-value': async (page) => {
    await attempt(page, 'query-key-value', 1);
    await becomes(page, { text: sentence, head: '3.1' });
    expect(await page.getByRole('tab', { selected: true }).textContent()).toBe('Explore');
  },
  'many-heads': async (page) => {
    for (const [n, head] of [
      [1, '0.2'],
      [2, '1.8'],
      [3, '4.5'],
      [4, '0.3'],
    ]) {
      await attempt(page, 'many-heads', n);
      await becomes(page, { head });
    }
  },
  'causal-mask': async (page) => {
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    const later = async () => (await tableValues(page)).flatMap((row, i) => row.slice(i + 1));
    await attempt(page, 'causal-mask', 1);
    await expect.poll(async () => (await later()).every((value) => value === 0)).toBe(true);
    await attempt(page, 'causal-mask', 2);
    await expect.poll(async () => (await later()).every((value) => value > 0)).toBe(true);
  },
  positions: async (page) => {
    const pair = async () => Number((await lockedPair(page)).value);
    const changesTo = async (n) => {
      const before = await pair();
      await attempt(page, 'positions', n);
      await expect.poll(async () => Math.abs((await pair()) - before) > 1e-3).toBe(true);
      await says(page, /^it → animal, /);
      return pair();
    };
    expect(await pair()).toBeCloseTo(0.69, 2);
    expect(await changesTo(1)).not.toBeCloseTo(0.69, 2);
    expect(await changesTo(3)).toBeCloseTo(0.69, 2);
    const inOrder = await changesTo(2);
    await attempt(page, 'positions', 1);
    await expect.poll(async () => (await shownState(page)).text).not.toBe(sentence);
    // Without positions the order makes no difference to a pair.
    await says(page, /^it → animal, /);
    expect(await pair()).toBeCloseTo(inOrder, 4);
    await attempt(page, 'positions', 3);
    await says(page, /^it → animal, 0\.69, rank 1$/);
  },
  cost: async (page) => {
    await attempt(page, 'cost', 1);
    await becomes(page, { tokens: '4096' });
    await attempt(page, 'cost', 2);
    await becomes(page, { text: sentence });
    await page.getByTestId('measure-lengths').click();
    await expect
      .poll(() => page.getByTestId('length-plot').getAttribute('data-points').then(Number))
      .toBeGreaterThan(5);
    // Whoever types meanwhile is answered.
    await field(page).fill('Still typing.');
    await becomes(page, { text: 'Still typing.' });
    const stop = page.getByRole('button', { name: 'Stop' });
    if (await stop.isVisible()) await stop.click();
    await expect.poll(() => page.getByTestId('length-plot').getAttribute('aria-busy')).toBe('false');
  },
  explanation: async (page) => {
    await attempt(page, 'explanation', 1);
    await becomes(page, { head: '2.7' });
    expect(await page.getByLabel('Shown').inputValue()).toBe('attention');
    await attempt(page, 'explanation', 2);
    expect(await page.getByLabel('Shown').inputValue()).toBe('value');
  },
};

test.each(lessons)('%s', async (id) => {
  const page = await explorer.open();
  await openLesson(page, id);
  await tries[id](page);
  expect(await page.locator('#panel').textContent()).not.toMatch(/NaN|undefined|Infinity/);
});

test('one lesson is open at a time, and an address may name it', async () => {
  const page = await explorer.open({ hash: { panel: 'learn', lesson: 'positions' } });
  expect(await tab(page, 'Learn').getAttribute('aria-selected')).toBe('true');
  const open = () => page.locator('.lesson[open]').evaluateAll((all) => all.map((one) => one.dataset.testid));
  expect(await open()).toEqual(['lesson-positions']);
  await openLesson(page, 'cost');
  await expect.poll(open).toEqual(['lesson-cost']);
});
