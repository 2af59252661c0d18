// How the page moves, and how it does without colours and without motion. That it fits: states.test.mjs.
import { expect, test } from 'vitest';
import { overflowing, tooSmall } from './fits.mjs';
import { tabStops } from './focus.mjs';
import { cellPoint, tokens } from './hooks.mjs';
import { openState } from './states.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();

test('nothing moves while the pointer goes over tokens and cells', async () => {
  const page = await explorer.open();
  const places = () =>
    page.$$eval('.plot-cells, .token, .thumbnail, .panel, textarea', (all) =>
      all.map((one) =>
        ['x', 'y', 'width', 'height'].map((side) => Math.round(one.getBoundingClientRect()[side])).join(),
      ),
    );
  const before = await places();
  const size = await tokens(page).count();
  for (let index = 0; index < size; index++) {
    await tokens(page).nth(index).hover();
    expect(await places()).toEqual(before);
    await page.mouse.move(...(await cellPoint(page, index, (7 * index) % size, size)));
    expect(await places()).toEqual(before);
  }
});

test('text, arcs, numbers and heads stand in this order, the matrix behind a button', async () => {
  const page = await explorer.open({ width: 360 });
  const tops = await page.$$eval('textarea, .tokens, .matrix-opener, .panel, .heads', (all) =>
    all.map((one) => one.getBoundingClientRect().top),
  );
  expect(tops).toHaveLength(5);
  expect(tops).toEqual(tops.toSorted((a, b) => a - b));
  expect(await page.getByTestId('matrix').isVisible()).toBe(false);
});

test.each(['ready', 'masks in use', 'compared', 'lesson many-heads', 'speed'])(
  'on a wide screen for fingers, %s',
  async (name) => {
    const page = await explorer.page({ width: 1366, height: 1024, hasTouch: true, isMobile: true });
    await openState(page, explorer.url, name);
    expect(await page.evaluate(overflowing)).toEqual([]);
    expect(await page.evaluate(tooSmall)).toEqual([]);
  },
);

test('in forced colours what is chosen stays apart from what is not', async () => {
  const page = await explorer.page({ forcedColors: 'active' });
  await openState(page, explorer.url, 'ready');
  const looks = await page.evaluate(() => {
    const style = (selector) => {
      const { outlineStyle, backgroundColor, textDecorationLine, borderBottomWidth } = getComputedStyle(
        document.querySelector(selector),
      );
      return { outlineStyle, backgroundColor, textDecorationLine, borderBottomWidth };
    };
    return {
      query: style('.token[data-role="query"]'),
      key: style('.token[data-role="key"]'),
      other: style('.token:not([data-role])'),
      open: style('.thumbnail[aria-checked="true"]'),
      closed: style('.thumbnail[aria-checked="false"]'),
      chosen: style('.tab[aria-selected="true"]'),
      waiting: style('.tab[aria-selected="false"]'),
      picture: getComputedStyle(document.querySelector('.thumbnail canvas')).forcedColorAdjust,
    };
  });
  expect(looks.query).not.toEqual(looks.other);
  expect(looks.key).not.toEqual(looks.other);
  expect(looks.open).not.toEqual(looks.closed);
  expect(looks.chosen).not.toEqual(looks.waiting);
  expect(looks.picture).toBe('none');
});

test('in forced colours the focus is in sight at every stop', async () => {
  const page = await explorer.page({ forcedColors: 'active' });
  await openState(page, explorer.url, 'ready');
  const stops = await tabStops(page);
  expect(stops.length).toBeGreaterThan(15);
  expect(stops.filter(({ isVisible }) => !isVisible)).toEqual([]);
});

test('whoever wants less motion gets none', async () => {
  const page = await explorer.open({ reducedMotion: 'reduce' });
  expect(await page.evaluate(longestMotion)).toBe(0);
});

test('no motion takes more than 150 ms', async () => {
  const page = await explorer.open({ reducedMotion: 'no-preference' });
  expect(await page.evaluate(longestMotion)).toBeLessThanOrEqual(150);
});

/** In the page: milliseconds of the longest transition or animation that any element has. */
function longestMotion() {
  const milliseconds = (list) =>
    list.split(',').map((one) => Number.parseFloat(one) * (one.trim().endsWith('ms') ? 1 : 1000));
  return Math.max(
    ...[...document.querySelectorAll('*')].flatMap((element) =>
      [null, '::before', '::after'].flatMap((pseudo) => {
        const { transitionDuration, animationDuration, animationName } = getComputedStyle(element, pseudo);
        return [
          ...milliseconds(transitionDuration),
          ...(animationName === 'none' ? [] : milliseconds(animationDuration)),
        ];
      }),
    ),
  );
}
