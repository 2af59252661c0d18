// What is on screen stands in an address; and whatever stands in an address, the page stays whole.
import { expect, test } from 'vitest';
import { openReady, shown } from './chromium.mjs';
import { field, lockedPair, lockedTokens, shownState, tab, tokenNames } from './hooks.mjs';
import { randomFrom } from './oracle.mjs';
import { readPixels, settled } from './pixels.mjs';
import { sentence } from './site.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();

async function addressOf(page, { withText = true } = {}) {
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('checkbox', { name: 'with my text' }).setChecked(withText);
  const address = await page.getByTestId('address').inputValue();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  return address;
}

/** All that can be seen of a state, the picture of the matrix with it. */
async function stateOf(page) {
  await settled(page);
  const corner = Array.from({ length: 400 }, (_, i) => [(i * 37) % 700, (i * 17) % 180]);
  return {
    ...(await shownState(page)),
    tokens: await tokenNames(page),
    locked: await lockedTokens(page),
    pair: await lockedPair(page),
    panel: await page.getByRole('tab', { selected: true }).textContent(),
    shown: await page.getByLabel('Shown').inputValue(),
    hidden: await page.getByRole('checkbox', { name: /^hide/ }).isChecked(),
    pixels: await readPixels(page, '[data-testid="matrix"] canvas', corner),
  };
}

test('a view goes to another visitor and is the same there', async () => {
  const page = await explorer.open();
  const text = 'Anna’s brother gave her 100 % of it & more; she said “no” — twice.';
  await field(page).fill(text);
  await shown(page, { text });
  await page.getByRole('radio', { name: 'Layer 2, head 7' }).click();
  await page.getByRole('checkbox', { name: 'lock several' }).check();
  for (const name of ['brother', 'she'])
    await page.getByRole('toolbar', { name: 'Tokens' }).getByRole('button', { name, exact: true }).first().click();
  await page.getByRole('checkbox', { name: /^hide/ }).check();
  await page.getByLabel('Shown').selectOption('value');
  await tab(page, 'Masks').click();
  await page.getByRole('checkbox', { name: /^causal/ }).check();
  await page.getByLabel(/^padding/).fill('1');
  await expect.poll(() => page.getByTestId('mask-outcome').textContent()).toContain('52 %');
  await shown(page, { text, head: '2.7' });
  const address = await addressOf(page);

  const other = await explorer.page();
  await openReady(other, address);
  expect(await stateOf(other)).toEqual(await stateOf(page));
  expect(await other.getByRole('checkbox', { name: /^causal/ }).isChecked()).toBe(true);
  expect(await addressOf(other)).toBe(address);
});

test('without the text only the view goes', async () => {
  const page = await explorer.open();
  await field(page).fill('This is my secret.');
  await shown(page, { text: 'This is my secret.' });
  await page.getByRole('radio', { name: 'Layer 4, head 4' }).click();
  const address = await addressOf(page, { withText: false });
  expect(decodeURIComponent(address)).not.toMatch(/secret/);
  const other = await explorer.page();
  await openReady(other, address);
  expect(await shownState(other)).toMatchObject({ text: sentence, head: '4.4' });
});

test('copying says that it copied, and a reload opens what was shared', async () => {
  const page = await explorer.open();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('radio', { name: 'Layer 1, head 8' }).click();
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied.').waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    await page.getByTestId('address').inputValue(),
  );
  await page.reload();
  await page.waitForSelector('#root[data-state="ready"]', { state: 'attached' });
  expect((await shownState(page)).head).toBe('1.8');
});

test('going back leads to the view before', async () => {
  const page = await explorer.open({ hash: { layer: 1, head: 2 } });
  await page.evaluate(() => {
    location.hash = 'layer=4&head=5';
  });
  await shown(page, { head: '4.5' });
  await page.goBack();
  await shown(page, { head: '1.2' });
});

const crafted = [
  '',
  '#',
  '%',
  '%E0%A4%A',
  '=&=&=',
  'text=<img src=x onerror=document.title=1>',
  'text=%00%01%FF',
  `text=${'a'.repeat(100_000)}`,
  `text=${encodeURIComponent('\uFFFF🜁'.repeat(3000))}`,
  'layer=99&head=99',
  'layer=-1&head=1e9',
  'layer=NaN&head=Infinity',
  'layer=3&head=__proto__',
  'model=own',
  'model=constructor',
  'model=long&length=16384000',
  'model=long&length=16&layer=5&head=11',
  'panel=toString',
  'panel=learn&lesson=../../etc/passwd',
  'panel=learn&lesson=__proto__',
  'pairs=9-2 9-2 9-2 500-500 -1-3 a-b',
  `pairs=${Array.from({ length: 3000 }, (_, i) => `${i}-${i}`).join(' ')}`,
  'mask=window.-1',
  'mask=window.999999 causal padding.999999 global.999999',
  'mask=block.0.999999.0.999999',
  'mask=block.5.2.9.1 block.0.0.0.0',
  'mask=causal.causal window padding. global.x block.1.2.3',
  'off=0.0 0.1 99.99 a.b -1.-1',
  `off=${Array.from({ length: 72 }, (_, i) => `${Math.floor(i / 12)}.${i % 12}`).join(' ')}`,
  'temperature=0',
  'temperature=1e-320',
  'temperature=Infinity',
  'temperature=-5',
  'temperature=0.05',
  'temperature=20',
  'show=rollout&hide=separators&text=',
  'show=value&mask=block.0.99.0.99',
  'show=<svg onload=document.title=1>',
  '__proto__[x]=1&constructor.prototype.x=1',
  'text=a&text=b&text=c',
];

const random = randomFrom(20_261_126);
const upTo = (count) => Math.floor(random() * count);
const one = (list) => list[upTo(list.length)];
const keys = 'text model length layer head pairs show hide mask off temperature panel lesson x __proto__'.split(' ');
const models = ['int8', 'long', 'own', 'int8 ', ''];
const values = [
  () => String(upTo(20) - 2),
  () => String(random() * 1e6),
  () =>
    one([
      '',
      'NaN',
      '-0',
      '1e999',
      'true',
      'null',
      'causal',
      'window.2',
      'padding.3',
      'rollout',
      'value',
      'separators',
    ]),
  () => `${upTo(20)}-${upTo(20)} ${upTo(20)}-${upTo(400)}`,
  () => `${upTo(7)}.${upTo(14)} ${upTo(7)}.${upTo(14)}`,
  () => `block.${upTo(9)}.${upTo(19)}.${upTo(9)}.${upTo(19)} window.${upTo(9)} global.${upTo(30)}`,
  () => one(['explore', 'masks', 'compare', 'learn', 'speed', 'Explore']),
  () => String.fromCharCode(...Array.from({ length: upTo(40) }, () => upTo(0xd7ff))),
  () => `<${one(['img', 'svg', 'script', 'iframe'])} ${one(['onerror', 'onload'])}=document.title=1 src=x>`,
];
/** Mostly well formed: what is not is refused early and tries little. */
const fuzzed = Array.from({ length: 200 - crafted.length }, () => {
  const fields = Array.from({ length: 1 + upTo(6) }, () => {
    const key = one(keys);
    const value = key === 'model' ? one(models) : key === 'length' ? String(16 + upTo(300)) : one(values)();
    return `${key}=${random() < 0.8 ? encodeURIComponent(value) : value}`;
  });
  return fields.join('&');
});

test('200 addresses that nobody would share neither throw nor inject, and the page goes on', async () => {
  const page = await explorer.open();
  const broken = [];
  for (const hash of [...crafted, ...fuzzed]) {
    await page.evaluate((next) => {
      location.hash = next;
    }, hash);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const injected = await page.locator('#root :is(img, script, iframe, object, [onload], [onerror])').count();
    const state = await page.evaluate(() => document.querySelector('#root').dataset.state);
    if (page.problems.length > 0 || injected > 0 || state !== 'ready' || (await page.title()) !== 'Attention explorer')
      broken.push({ hash: hash.slice(0, 200), state, injected, problems: page.problems.splice(0) });
  }
  expect(broken).toEqual([]);
  const text = 'Still here.';
  await page.evaluate((fields) => {
    location.hash = fields;
  }, `text=${text}&layer=3&head=1`);
  await shown(page, { text, head: '3.1' });
  expect(await tokenNames(page)).toEqual(['[CLS]', 'still', 'here', '.', '[SEP]']);
});

const opened = crafted.filter((_, i) => i % 4 === 1).map((hash) => [hash.slice(0, 40), hash]);
test.each(opened)('opened with #%s the page is whole', async (_start, hash) => {
  const page = await explorer.page();
  await openReady(page, `${explorer.url}#${hash}`);
  await field(page).fill('Still here.');
  await shown(page, { text: 'Still here.' });
  expect(await page.title()).toBe('Attention explorer');
});
