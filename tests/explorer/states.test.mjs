// In each of its states the page fits every screen, fingers find everything, and axe finds nothing.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { overflowing, pageScroll, tooSmall } from './fits.mjs';
import { earlyStates, openEarly, openState, states } from './states.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

const phone = { width: 360, height: 800 };
// The narrow one first: it is where the matrix is opened by a button.
const sizes = [
  { ...phone, isTouched: true, isAxed: true },
  // A window of 1280 × 800 at 200 % zoom.
  { width: 640, height: 400 },
  { width: 768, height: 1024, isTouched: true },
  { width: 1280, height: 800, isOneScreen: true, isAxed: true },
];

// Of all rules only those of colours can have another answer in another scheme.
const schemes = [
  ['light', {}],
  ['dark', { runOnly: ['color-contrast', 'link-in-text-block'] }],
];

async function violationsOf(page, rules) {
  const options = { resultTypes: ['violations'], ...rules };
  const found = await page.evaluate((options) => globalThis.axe.run(document, options), options);
  return found.violations.map(({ id, nodes }) => ({
    id,
    where: nodes.slice(0, 3).map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
  }));
}

/** All that is wrong with the page as it is, on screens of every size. */
async function complaints(page) {
  // The page's policy forbids script tags and eval; the debugger's own evaluation is past both.
  await page.evaluate(axe);
  const all = {};
  for (const { width, height, isTouched, isOneScreen, isAxed } of sizes) {
    await page.setViewportSize({ width, height });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const found = {};
    all[`${width} × ${height}`] = found;
    found.overflowing = await page.evaluate(overflowing);
    if (isTouched) found.tooSmall = await page.evaluate(tooSmall);
    if (isOneScreen) found.scroll = Math.max(0, await page.evaluate(pageScroll));
    for (const [colorScheme, rules] of isAxed ? schemes : []) {
      await page.emulateMedia({ colorScheme });
      found[colorScheme] = await violationsOf(page, rules);
    }
  }
  return all;
}

const none = Object.fromEntries(
  sizes.map(({ width, height, isTouched, isOneScreen, isAxed }) => [
    `${width} × ${height}`,
    {
      overflowing: [],
      ...(isTouched && { tooSmall: [] }),
      ...(isOneScreen && { scroll: 0 }),
      ...(isAxed && { light: [], dark: [] }),
    },
  ]),
);

test.each(Object.keys(states))('%s', async (name) => {
  const page = await explorer.page(phone);
  // What the matrix is drawn with makes no difference here, and software takes long over WebGL.
  await openState(page, `${explorer.url}?renderer=canvas2d`, name);
  expect(await complaints(page)).toEqual(none);
});

test.each(Object.entries(earlyStates))('%s', async (name, state) => {
  const page = await explorer.page({ ...phone, isFirstVisit: true });
  await openEarly(page, explorer.url, state);
  expect(await complaints(page)).toEqual(none);
  // That the weights did not come is in the console, too.
  if (name === 'error') page.problems.splice(0, Infinity, ...page.problems.filter((one) => !one.includes('503')));
});
