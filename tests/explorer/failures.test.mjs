// What a visitor meets when something is missing: files, WebGL, or the graphics card's patience.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProjections } from '../browser/minilm.mjs';
import { openReady, shown } from './chromium.mjs';
import { field, lockedPair, shownState } from './hooks.mjs';
import { weightsOf } from './oracle.mjs';
import { canvasSize, differingCells, settled } from './pixels.mjs';
import { root, sentence } from './site.mjs';
import { useExplorer } from './suite.mjs';

const cells = '[data-testid="matrix"] canvas';
const { tokens, layers } = await readProjections(sentence);
const weight = weightsOf(layers);
/** The matrix of the opening head, pixel by pixel. */
const differing = (page) =>
  differingCells(page, (row, column) => weight(3, 1, row, column), { length: tokens.length, seed: 7 });

describe('a site that lacks a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explorer-'));
  const explorer = useExplorer({ site: { root: folder } });
  const assets = readdirSync(join(root, 'assets'));
  const link = (name) => symlinkSync(join(root, 'assets', name), join(folder, 'assets', name));
  const isMissing = [
    ['weights', /int8.*\.safetensors$/],
    ['tokenizer', /^tokenizer.*\.json$/],
    ['cores', /\.wasm$/],
  ];
  beforeAll(() => {
    for (const name of readdirSync(root)) if (name !== 'assets') symlinkSync(join(root, name), join(folder, name));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(isMissing)('%s: says so, keeps the example, and tries again when asked', async (_what, pattern) => {
    const absent = assets.filter((name) => pattern.test(name));
    expect(absent.length).toBeGreaterThan(0);
    rmSync(join(folder, 'assets'), { recursive: true, force: true });
    mkdirSync(join(folder, 'assets'));
    for (const name of assets) if (!absent.includes(name)) link(name);

    const page = await explorer.page({ isFirstVisit: true });
    await page.goto(explorer.url);
    await page.waitForSelector('#root[data-state="error"]', { state: 'attached' });
    const alert = page.getByRole('alert');
    expect(await alert.textContent()).toContain('The model could not be loaded.');
    expect(await page.locator('.model').textContent()).toContain('stopped');
    expect((await lockedPair(page)).text).toMatch(/^it → animal, 0\.69, rank 1$/);
    expect(await page.locator('[role="radio"]').count()).toBe(72);

    const states = page.evaluate(nextStates, 2);
    await page.getByRole('button', { name: 'Try again' }).click();
    expect(await states).toEqual(['loading', 'error']);
    absent.forEach(link);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForSelector('#root[data-state="ready"]', { state: 'attached' });
    expect(await alert.count()).toBe(0);
    await field(page).fill('And now it works.');
    await shown(page, { text: 'And now it works.' });
    // That the file was not there is all the console has to say.
    page.problems.splice(0, Infinity, ...page.problems.filter((one) => !one.includes('404')));
  });
});

describe('a browser without WebGL', () => {
  const explorer = useExplorer({ args: ['--disable-webgl', '--disable-webgl2', '--disable-3d-apis'] });

  test('draws the same with a 2D canvas', async () => {
    const page = await explorer.open();
    await settled(page);
    expect((await canvasSize(page, cells)).renderer).toBe('canvas2d');
    expect(await differing(page)).toEqual([]);
  });
});

describe('a lost graphics context', () => {
  const explorer = useExplorer();

  test('is replaced, and everything drawn again', async () => {
    const page = await explorer.open();
    await settled(page);
    expect((await canvasSize(page, cells)).renderer).toBe('webgl2');
    await page.$eval(cells, (canvas) => {
      canvas.dataset.lost = 'yes';
      canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext();
    });
    await page.waitForSelector(`${cells}:not([data-lost])`);
    await settled(page);
    expect(await differing(page)).toEqual([]);
    await field(page).fill('Later text.');
    await shown(page, { text: 'Later text.' });
  });

  test('again and again', async () => {
    const page = await explorer.open();
    for (let count = 0; count < 12; count++) {
      await page.$eval(cells, (canvas) => {
        canvas.dataset.lost = 'yes';
        canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context').loseContext();
      });
      if ((await canvasSize(page, cells)).renderer === 'canvas2d') break;
      await page.waitForSelector(`${cells}:not([data-lost])`);
    }
    await settled(page);
    expect(await differing(page)).toEqual([]);
    expect((await shownState(page)).state).toBe('ready');
  });
});

describe('storage that is full', () => {
  const explorer = useExplorer();

  test('costs visits without a network, and nothing else', async () => {
    const page = await explorer.page({ isFirstVisit: true });
    const browser = await page.context().newCDPSession(page);
    const { origin } = new URL(explorer.url);
    await browser.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
    await openReady(page, explorer.url);
    const areWeightsKept = () =>
      page.evaluate(async () => {
        const kept = await (await caches.open('attention-explorer')).keys();
        return kept.some(({ url }) => url.endsWith('.safetensors'));
      });
    expect(await areWeightsKept()).toBe(false);
    await field(page).fill('No room for this.');
    await shown(page, { text: 'No room for this.' });
    // Another visit has the network to go to.
    await openReady(page, explorer.url);
    expect(await areWeightsKept()).toBe(false);
    expect((await lockedPair(page)).text).toMatch(/^it → animal/);
    // With room they are kept.
    await browser.send('Storage.overrideQuotaForOrigin', { origin });
    await openReady(page, explorer.url);
    await expect.poll(areWeightsKept).toBe(true);
  });
});

describe('a tab that is hidden, and so gets no frames', () => {
  const explorer = useExplorer();

  /** Headless pages are never hidden: what a hidden one does without is kept from them. */
  const withoutFrames = () => {
    const real = globalThis.requestAnimationFrame.bind(globalThis);
    const waiting = [];
    let isHidden = false;
    globalThis.requestAnimationFrame = (frame) => (isHidden ? waiting.push(frame) : real(frame));
    globalThis.hide = (hidden) => {
      isHidden = hidden;
      for (const frame of isHidden ? [] : waiting.splice(0)) real(frame);
    };
    globalThis.framesKept = () => waiting.length;
  };

  test('starts when it is seen, and shows then what was typed before it was hidden', async () => {
    const page = await explorer.page();
    await page.addInitScript(withoutFrames);
    await page.addInitScript(() => globalThis.hide(true));
    await page.goto(explorer.url);
    await page.waitForFunction(() => globalThis.framesKept() > 0);
    await new Promise((done) => setTimeout(done, 500));
    const asked = () =>
      page.evaluate(
        () => performance.getEntriesByType('resource').filter(({ name }) => /wasm|worker/.test(name)).length,
      );
    expect([(await shownState(page)).state, await asked()]).toEqual(['example', 0]);
    await page.evaluate(() => globalThis.hide(false));
    await page.waitForSelector('#root[data-state="ready"]', { state: 'attached' });
    await field(page).fill('Typed before it was hidden.');
    await page.evaluate(() => globalThis.hide(true));
    await new Promise((done) => setTimeout(done, 500));
    await page.evaluate(() => globalThis.hide(false));
    await shown(page, { text: 'Typed before it was hidden.' });
    expect((await shownState(page)).state).toBe('ready');
  });
});

/** In the page: the next so many states it is in. */
function nextStates(count) {
  const root = document.querySelector('#root');
  const states = [];
  return new Promise((done) => {
    new MutationObserver(() => {
      states.push(root.dataset.state);
      if (states.length === count) done(states);
    }).observe(root, { attributeFilter: ['data-state'] });
  });
}
