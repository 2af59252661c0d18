// What goes out as files, and models that come in as files.
import { readFile } from 'node:fs/promises';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { describe, expect, test } from 'vitest';
import { config, tokenizer, weightsFile } from '../../demo/src/engine/tiny-llama.ts';
import { readProjections } from '../browser/minilm.mjs';
import { shown } from './chromium.mjs';
import { field, head, shownState, tableValues, tokenNames } from './hooks.mjs';
import { weightsOf } from './oracle.mjs';
import { sentence } from './site.mjs';
import { useExplorer } from './suite.mjs';

const explorer = useExplorer();
const { tokens, layers } = await readProjections(sentence);
const weight = weightsOf(layers);
const rowsOf = (rows, of = weight) =>
  Math.max(...rows.flatMap((row, q) => row.map((value, k) => Math.abs(value - of(3, 1, q, k)))));

async function exported(page, format) {
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByTestId('export-menu').getByRole('button', { name: format, exact: true }).click(),
  ]);
  await page.keyboard.press('Escape');
  return { name: download.suggestedFilename(), content: await readFile(await download.path()) };
}

describe('saved', () => {
  test('CSV and JSON hold the weights on screen', async () => {
    const page = await explorer.open();
    const csv = await exported(page, 'CSV');
    expect(csv.name).toBe('attention-layer3-head1.csv');
    const lines = csv.content.toString().trimEnd().split('\r\n');
    expect(lines).toHaveLength(tokens.length + 1);
    const rows = lines.slice(1).map((line) => line.split(',').slice(1).map(Number));
    expect(rowsOf(rows)).toBeLessThanOrEqual(1e-5);

    const json = JSON.parse((await exported(page, 'JSON')).content);
    expect(json).toMatchObject({ text: sentence, tokens, layer: 3, head: 1 });
    expect(rowsOf(json.rows)).toBeLessThanOrEqual(1e-5);
  });

  test('PNG and SVG are pictures, and a token that looks like a page is text in them', async () => {
    const page = await explorer.open();
    const text = '<script>alert(1)</script> & "quoted"';
    await field(page).fill(text);
    await shown(page, { text });
    const png = (await exported(page, 'PNG')).content;
    expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
    expect(png.readUInt32BE(16)).toBeGreaterThan(400);
    const svg = (await exported(page, 'SVG')).content.toString();
    // Elsewhere: the page's policy lets nobody parse.
    const elsewhere = await page.context().newPage();
    const found = await elsewhere.evaluate((source) => {
      const { documentElement } = new DOMParser().parseFromString(source, 'image/svg+xml');
      const names = new Set([...documentElement.querySelectorAll('*')].map(({ localName }) => localName));
      return { root: documentElement.localName, names: [...names], text: documentElement.textContent };
    }, svg);
    expect(found.root).toBe('svg');
    expect(found.names).toContain('path');
    expect(found.names).not.toContain('script');
    expect(found.names).not.toContain('parsererror');
    for (const token of ['<', 'script', '&', '"']) expect(found.text).toContain(token);
  });
});

const file = (name, content) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(content instanceof Uint8Array ? content : JSON.stringify(content)),
});

async function openOwn(page, files) {
  await page.getByRole('button', { name: 'Model', exact: true }).click();
  await page.getByTestId('own-files').setInputFiles(files);
}

describe('a model of one’s own', () => {
  const llama = [
    file('config.json', config),
    file('model.safetensors', weightsFile()),
    file('tokenizer.json', tokenizer),
  ];

  test('a Llama reads the text, causally, as it does in Node', async () => {
    const page = await explorer.open();
    const sent = [];
    page.context().on('request', (request) => {
      if (request.method() !== 'GET' || request.postData() !== null || new URL(request.url()).search)
        sent.push(request.url());
    });
    await openOwn(page, llama);
    await page.waitForFunction(() => document.querySelectorAll('[role="radio"][data-layer]').length === 8);
    await page.keyboard.press('Escape');
    const text = 'bad cab a deaf cab';
    await field(page).fill(text);
    await shown(page, { text });
    await page.getByRole('radio', { name: /^Layer 1, head 2/ }).click();
    await shown(page, { text, head: '1.2' });
    // Nothing of it goes anywhere.
    expect(sent).toEqual([]);

    const attention = await createAttention();
    const model = createModel(attention, { config, tensors: weightsFile() });
    const vocabulary = tokenizer.model.vocab;
    const names = await tokenNames(page);
    const ids = names.map((name) => vocabulary[name]);
    const { projections } = await model.forward(ids, { projections: true });
    const own = weightsOf(projections, { rule: (query, key) => key <= query });
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    const values = await tableValues(page);
    const worst = Math.max(...values.flatMap((row, q) => row.map((value, k) => Math.abs(value - own(1, 2, q, k)))));
    expect(worst).toBeLessThanOrEqual(1e-5);
    attention.dispose();
  });

  test('it writes on, every head reads along, and typing goes on from there', async () => {
    const page = await explorer.open();
    await openOwn(page, llama);
    await page.waitForFunction(() => document.querySelectorAll('[role="radio"][data-layer]').length === 8);
    await page.keyboard.press('Escape');
    await field(page).fill('cab');
    await shown(page, { text: 'cab' });
    await page.getByRole('spinbutton', { name: 'tokens' }).fill('6');
    await page.getByRole('button', { name: 'Generate' }).click();
    await expect.poll(async () => (await field(page).inputValue()).length).toBeGreaterThan(3);
    await page.getByRole('button', { name: 'Generate' }).waitFor();
    const text = await field(page).inputValue();
    expect(text.startsWith('cab')).toBe(true);
    await shown(page, { text });
    await field(page).press('End');
    await page.keyboard.type('d');
    await shown(page, { text: `${text}d` });
  });

  test('a tokenizer whose pattern takes for ever is ended, and the page goes on', async () => {
    const page = await explorer.open();
    const pre_tokenizer = { type: 'Split', pattern: { Regex: '^(a+)+$' }, behavior: 'Isolated', invert: false };
    await openOwn(page, [llama[0], llama[1], file('tokenizer.json', { ...tokenizer, pre_tokenizer })]);
    await page.waitForFunction(() => document.querySelectorAll('[role="radio"][data-layer]').length === 8);
    await page.keyboard.press('Escape');
    await field(page).fill(`${'a'.repeat(60)}b`);
    const retry = page.getByRole('button', { name: 'Try again' });
    await retry.waitFor();
    await page.getByText('The tokenizer of your model took too long.').waitFor();
    await retry.click();
    await field(page).fill('MiniLM goes on.');
    await shown(page, { text: 'MiniLM goes on.' });
    await page.getByRole('button', { name: 'Model', exact: true }).click();
    expect(await page.getByRole('radio', { name: /your own/ }).count()).toBe(0);
  });

  test.each([
    ['a family that is not known', [file('config.json', { ...config, model_type: 'mamba' }), llama[1]], /mamba/],
    ['a tensor that is missing', [llama[0], file('model.safetensors', weightsFile(['model.norm.weight']))], /norm/],
    ['a file cut short', [llama[0], file('model.safetensors', weightsFile().subarray(0, 500))], /./],
    ['a config that is no JSON', [file('config.json', new Uint8Array([123, 34, 97])), llama[1]], /./],
  ])('%s is refused in words, and the page goes on', async (_what, files, words) => {
    const page = await explorer.open();
    await openOwn(page, files);
    const refused = page.getByTestId('own-refused');
    await refused.waitFor();
    expect(await refused.textContent()).toMatch(/^Model refused\./);
    expect(await refused.textContent()).toMatch(words);
    await page.keyboard.press('Escape');
    await field(page).fill('MiniLM goes on.');
    await shown(page, { text: 'MiniLM goes on.' });
    await head(page, 5, 5).click();
    expect(await shownState(page)).toMatchObject({ state: 'ready' });
  });
});
