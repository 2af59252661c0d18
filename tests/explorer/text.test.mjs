// Whatever is typed: fast, nothing, too much, or what looks like a page.
import { expect, test } from 'vitest';
import { readProjections } from '../browser/minilm.mjs';
import { encode } from '../browser/tokens.mjs';
import { shown } from './chromium.mjs';
import { field, shownState, tableValues, tokenNames } from './hooks.mjs';
import { weightsOf } from './oracle.mjs';
import { sentence } from './site.mjs';
import { openLesson, states } from './states.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();
const note = (page) => page.locator('#text-note').textContent();

test('a burst of keystrokes ends with the newest text, and never goes back to an older one', async () => {
  const page = await explorer.open();
  await page.evaluate(() => {
    const root = document.querySelector('#root');
    globalThis.seen = [];
    new MutationObserver(() => globalThis.seen.push(root.dataset.text)).observe(root, {
      attributeFilter: ['data-text'],
    });
  });
  const typed = ' Nobody saw the bird, although it sang all day long in the old tree behind the house.';
  await field(page).press('End');
  await page.keyboard.type(typed);
  const text = sentence + typed;
  await shown(page, { text });
  const seen = await page.evaluate(() => globalThis.seen);
  expect(seen.at(-1)).toBe(text);
  expect(seen.every((one) => text.startsWith(one))).toBe(true);
  const lengths = seen.map(({ length }) => length);
  expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));

  const { tokens, layers } = await readProjections(text);
  expect(await tokenNames(page)).toEqual(tokens);
  await page.getByRole('button', { name: 'Table' }).click();
  const weight = weightsOf(layers);
  const values = await tableValues(page);
  const differences = values.flatMap((line, row) =>
    line.map((value, column) => Math.abs(value - weight(3, 1, row, column))),
  );
  expect(differences.filter((difference) => !(difference <= 1e-5))).toEqual([]);
});

test('typing before the weights are there is read when they are', async () => {
  const page = await explorer.page({ isFirstVisit: true });
  let arrive;
  const arrival = new Promise((done) => {
    arrive = done;
  });
  await page.route('**/*.safetensors', async (route) => {
    await arrival;
    await route.continue();
  });
  await page.goto(explorer.url);
  await page.getByRole('progressbar', { name: 'Model weights' }).waitFor();
  await field(page).fill('Patience is a virtue.');
  expect(await note(page)).toContain('as soon as the model has arrived');
  expect((await shownState(page)).text).toBe(sentence);
  arrive();
  await shown(page, { text: 'Patience is a virtue.' });
  expect((await shownState(page)).state).toBe('ready');
});

test('no text, and text again', async () => {
  const page = await explorer.open();
  await field(page).fill('');
  await shown(page, { text: '' });
  expect(await note(page)).toContain('No text yet');
  expect(await page.getByText('The tokens of your text appear here').isVisible()).toBe(true);
  expect(await page.getByText('A matrix of every token').isVisible()).toBe(true);
  await field(page).fill('   \n ');
  await shown(page, { text: '   \n ' });
  await field(page).fill('Back.');
  await shown(page, { text: 'Back.' });
  expect(await tokenNames(page)).toEqual(['[CLS]', 'back', '.', '[SEP]']);
});

test('of a text that is too long the note says how much is read, and why', async () => {
  const page = await explorer.open();
  const text = Array.from({ length: 60 }, () => sentence).join(' ');
  await field(page).fill(text);
  await shown(page, { text });
  const total = encode(text).ids.length;
  expect(total).toBeGreaterThan(512);
  expect(await note(page)).toBe(`The first 512 of ${total} tokens are read: this model ends there.`);
  expect((await shownState(page)).tokens).toBe('512');
  await field(page).fill(sentence);
  await shown(page, { text: sentence });
  expect(await note(page)).not.toContain('512');
});

test('a pasted book neither stops the page nor is read whole', async () => {
  const page = await explorer.open();
  const text = `${sentence} `.repeat(20_000);
  await field(page).fill(text);
  await shown(page, { text });
  expect(await note(page)).toMatch(/^The first 512 of more than \d+ tokens are read/);
});

test('whatever is typed is only text', async () => {
  const page = await explorer.open();
  await page.getByRole('button', { name: 'Table' }).click();
  for (const text of [
    '<img src=x onerror="document.title=1">',
    '<script>document.title=1</script> <b>bold</b>',
    '"><svg onload=document.title=1>',
    '{{constructor.constructor("document.title=1")()}} javascript:document.title=1',
    'ﷺ 👩‍👩‍👧‍👦 \u202E evil \u0000 \uD800 \uFEFF ಠ_ಠ',
    '[CLS] [SEP] [MASK] [PAD] [UNK]',
  ]) {
    await field(page).fill(text);
    // The root has what the field made of it: no lone surrogates.
    await shown(page, { text: await field(page).inputValue() });
    expect(await page.title()).toBe('Attention explorer');
    expect(await page.locator('main img, main script, main b:not(.readout b), [onload], [onerror]').count()).toBe(0);
    expect(await tokenNames(page)).toEqual(encode(text).tokens);
    const headings = page.locator('[data-testid="matrix-table"] thead th');
    expect(await headings.allTextContents()).toEqual(encode(text).tokens.slice(0, 32));
  }
});

/** Of what is found, every run of Hebrew letters or of others that stands left of the one before it in the same line. */
function disordered(found) {
  const isHebrew = (character) => /[#\u0590-\u05ff]/.test(character); // With the marks of pieces.
  return found.flatMap((element) => {
    const runs = [];
    const range = document.createRange();
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (let i = 0; i < node.data.length; i++) {
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const { left, right, top, width } = range.getBoundingClientRect();
        if (width === 0 || /\s/.test(node.data[i])) continue;
        const last = runs.at(-1);
        if (last?.isHebrew === isHebrew(node.data[i]) && Math.abs(last.top - top) < 8) {
          last.left = Math.min(last.left, left);
          last.right = Math.max(last.right, right);
        } else runs.push({ isHebrew: isHebrew(node.data[i]), left, right, top });
      }
    }
    if (!runs.some((run) => run.isHebrew)) return [];
    const follows = (run, i) =>
      i === 0 || Math.abs(run.top - runs[i - 1].top) >= 8 || run.left >= runs[i - 1].right - 1;
    return [[element.textContent, runs.every(follows)]];
  });
}

const hebrew = { text: 'של את על כל', layer: 3, head: 1, pairs: '1-3', mask: 'window.9 global.1 global.2' };

test.each([
  [
    'the pair, its bars and its steps',
    states['step by step'],
    ['h2.pair', '.panel h3', '.bar', 'caption', '.step-key'],
  ],
  ['the readout', async () => {}, ['.readout']],
  ['masks', (page) => page.getByRole('tab', { name: 'Masks' }).click(), ['.chip', '.field-row .button']],
  ['a comparison', states.compared, ['.compare-pair', '.change']],
  ['a lesson', (page) => openLesson(page, 'query-key-value'), ['[data-testid="lesson-numbers"] :is(dt, dd)']],
])('tokens from right to left do not turn a line round: %s', async (_, show, selectors) => {
  const page = await explorer.open({ hash: hebrew });
  await show(page);
  for (const selector of selectors) {
    await page.locator(selector).first().waitFor();
    const lines = await page.$$eval(selector, disordered);
    expect(lines.length, selector).toBeGreaterThan(0);
    expect(lines.filter(([, isInOrder]) => !isInOrder)).toEqual([]);
  }
});
