// Models from the visitor's own files, in the built explorer page: opened, read, written with, and refused.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentSecurityPolicy, serve } from '../../scripts/lib/serve.mjs';
import * as stories from '../web/stories.ts';
import * as bert from '../web/synthetic-bert.ts';
import * as llama from '../web/synthetic-llama.ts';
import { launch, violationPath } from './drivers/index.mjs';

const root = fileURLToPath(new URL('../../demo/dist', import.meta.url));
const headers = { 'content-security-policy': `${contentSecurityPolicy}; report-uri ${violationPath}` };
// Between variants, as in explorer.test.mjs.
const tolerance = 1e-4;

const attention = await createAttention();
const checkpoint = ({ config, weights }) => ({ config, bytes: bert.inFile(weights()) });
const [tinyBert, tinyLlama] = [checkpoint(bert), checkpoint(llama)];
const inNode = ({ config, bytes }) => createModel(attention, { config, tensors: bytes });

let server;
let browser;
beforeAll(async () => {
  if (!existsSync(`${root}/index.html`)) throw new Error('demo/dist is not built. Run: npm test');
  server = await serve({ root, headers });
  browser = await launch('chromium');
  await browser.open(server.url);
  await browser.waitFor(() => document.querySelector('[data-state="ready"]') !== null);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe.each([
  { name: 'BERT', files: tinyBert, heads: 9, title: 'own bert' },
  { name: 'Llama', files: tinyLlama, heads: 27, title: 'own llama' },
])('a $name of random weights', ({ files, heads, title }) => {
  const ids = [3, 0, 28, 7, 7, 14, 1, 22, 9];

  test('shows its heads', async () => {
    await open(files);
    await type(ids.join(', '));
    await browser.waitFor(showsTokens, { args: [ids.map(String)] });
    expect(await browser.evaluate(() => document.querySelectorAll('[role="radio"][data-head]').length)).toBe(heads);
    expect(await browser.evaluate(() => document.querySelector('.model').textContent)).toContain(title);
  });

  test('with the weights that Node computes', async () => {
    const size = ids.length;
    const { attentions } = await inNode(files).forward(ids, { attention: true });
    await browser.evaluate(showTable);
    await browser.waitFor(() => document.querySelector('[data-testid="matrix-table"]') !== null);
    for (const [layer, head] of [
      [0, 0],
      [1, 2],
      [2, 1],
    ]) {
      await browser.evaluate(openHead, layer, head);
      await browser.waitFor((place) => document.getElementById('root').dataset.head === place, {
        args: [`${layer}.${head}`],
      });
      const cells = await browser.evaluate(readTable);
      expect(cells).toHaveLength(size * size);
      const expected = attentions[layer].data.subarray(head * size * size, (head + 1) * size * size);
      for (const [i, cell] of cells.entries()) expect(Math.abs(cell - expected[i])).toBeLessThanOrEqual(tolerance);
    }
  });

  test('leaves out what is no id, and says so', async () => {
    await type(`${ids.join(' ')} it 999`);
    await browser.waitFor(() => document.getElementById('root').dataset.text.endsWith('it 999'));
    await browser.waitFor(showsTokens, { args: [ids.map(String)] });
    const note = await browser.evaluate(() => document.getElementById('text-note').textContent);
    expect(note).toContain('Left out: “it”, “999”');
  });
});

describe('a Llama writes', () => {
  const prompt = [3, 0, 28, 7];
  const files = stories.isPresent ? { config: stories.readConfig(), bytes: stories.readBytes() } : tinyLlama;

  test('what it writes in Node, and attention grows with every token', async () => {
    const written = [...(await inNode(tinyLlama).generate(prompt, { maxNewTokens: 8 }))];
    await type(prompt.join(' '));
    await browser.waitFor(showsTokens, { args: [prompt.map(String)] });
    await browser.evaluate(setNumber, 'tokens', 8);
    await browser.evaluate(watchTokens);
    await browser.evaluate(press, 'Generate');
    const whole = [...prompt, ...written].join(' ');
    await browser.waitFor((text) => document.getElementById('root').dataset.text === text, { args: [whole] });
    expect(written.length).toBeGreaterThan(1);
    const seen = await browser.evaluate(() => window.tokensSeen);
    expect(seen.slice(-written.length)).toEqual(written.map((_, i) => prompt.length + i + 1));
  });

  test('and stops', async () => {
    await open(files);
    const text = '1 3 7 9';
    await type(text);
    await browser.waitFor(showsTokens, { args: [text.split(' ')] });
    await browser.evaluate(setNumber, 'tokens', 400);
    await browser.evaluate(press, 'Generate');
    await browser.waitFor((start) => document.querySelector('textarea').value.length > start, { args: [text.length] });
    const stopped = await browser.evaluate(stopWriting);
    // A tiny model may have ended its text by itself.
    if (!stopped) return;
    await new Promise((done) => setTimeout(done, 500));
    const [now, button] = await browser.evaluate(() => [
      document.querySelector('textarea').value,
      document.querySelector('.writer button').textContent,
    ]);
    expect(now).toBe(stopped);
    expect(button).toBe('Generate');
  });

  test.runIf(stories.isPresent)('the story of a trained one', async () => {
    const { promptIds, greedyFirst24 } = stories.readExpected();
    await type(promptIds.join(' '));
    await browser.waitFor(showsTokens, { args: [promptIds.map(String)] });
    await browser.evaluate(setNumber, 'tokens', 24);
    await browser.evaluate(press, 'Generate');
    const whole = [...promptIds, ...greedyFirst24].join(' ');
    await browser.waitFor((text) => document.getElementById('root').dataset.text === text, { args: [whole] });
  });
});

describe('is refused', () => {
  const broken = Uint8Array.from(tinyBert.bytes).subarray(0, -4);
  const [name] = Object.keys(bert.weights());
  test.each([
    { what: 'a cut file', files: { ...tinyBert, bytes: broken }, message: 'has bytes' },
    { what: 'another family', files: { ...tinyBert, config: { model_type: 't5' } }, message: "got 't5'" },
    {
      what: 'a missing tensor',
      files: { ...tinyBert, config: { ...tinyBert.config, num_hidden_layers: 4 } },
      message: "wanted a tensor 'encoder.layer.3.",
    },
    {
      what: 'a wrong shape',
      files: { ...tinyBert, config: { ...tinyBert.config, vocab_size: 30 } },
      message: `tensor '${name}' has shape [29,21], wanted [30,21]`,
    },
  ])('$what, and the model before goes on', async ({ files, message }) => {
    const before = await browser.evaluate(() => document.getElementById('root').dataset.text);
    await browser.evaluate(choose, ...encoded(files));
    const refused = await browser.waitFor(
      () => document.querySelector('dialog[open] [data-testid="own-refused"]')?.textContent,
    );
    expect(refused).toContain(message);
    await browser.evaluate(press, 'Close');
    const text = `${before} 2`;
    await type(text);
    await browser.waitFor((wanted) => document.getElementById('root').dataset.text === wanted, { args: [text] });
    expect(await browser.evaluate(() => document.getElementById('root').dataset.state)).toBe('ready');
  });

  test('nothing left the page, and no policy was broken', () => {
    expect(browser.foreignRequests()).toEqual([]);
    expect(browser.violations()).toEqual([]);
  });
});

const encoded = ({ config, bytes }) => [JSON.stringify(config), Buffer.from(bytes).toString('base64')];

async function open(files) {
  await browser.evaluate(choose, ...encoded(files));
  const { layers, heads } = inNode(files);
  await browser.waitFor((count) => document.querySelectorAll('[role="radio"][data-head]').length === count, {
    args: [layers * heads],
  });
  await browser.waitFor(() => document.querySelector('.model-dialog[open]') === null);
}

const type = (text) => browser.evaluate(setText, text);

// These run in the page.

function choose(config, weights) {
  const files = new DataTransfer();
  files.items.add(new File([config], 'config.json'));
  files.items.add(new File([Uint8Array.from(atob(weights), (c) => c.charCodeAt(0))], 'model.safetensors'));
  const input = document.querySelector('[data-testid="own-files"]');
  input.files = files.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

function setText(text) {
  const field = document.querySelector('textarea');
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

function setNumber(label, value) {
  const field = [...document.querySelectorAll('.writer label')].find((one) => one.textContent === label);
  const input = field.querySelector('input');
  input.value = String(value);
  input.dispatchEvent(new Event('input', { bubbles: true }));
}

function press(name) {
  const buttons = [...document.querySelectorAll('dialog[open] button, .writer button')];
  buttons.find((button) => button.textContent === name).click();
}

function stopWriting() {
  const button = document.querySelector('.writer button');
  if (button.textContent !== 'Stop') return null;
  button.click();
  return document.querySelector('textarea').value;
}

function watchTokens() {
  window.tokensSeen = [];
  const { dataset } = document.getElementById('root');
  const watch = () => {
    const count = Number(dataset.tokens);
    if (window.tokensSeen.at(-1) !== count) window.tokensSeen.push(count);
  };
  new MutationObserver(watch).observe(document.getElementById('root'), { attributes: true });
}

function openHead(layer, head) {
  document.querySelector(`[data-layer="${layer}"][data-head="${head}"]`).click();
}

function showTable() {
  const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Table');
  if (button.ariaPressed !== 'true') button.click();
}

function readTable() {
  return [...document.querySelectorAll('[data-testid="matrix-table"] td[data-value]')].map((cell) =>
    Number(cell.dataset.value),
  );
}

function showsTokens(tokens) {
  const shown = [...document.querySelectorAll('[data-testid="tokens"] .token')].map((button) => button.ariaLabel);
  return shown.join(' ') === tokens.join(' ');
}
