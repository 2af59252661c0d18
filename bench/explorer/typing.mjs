import { isolation, serve } from '../../scripts/lib/serve.mjs';
import { launch } from '../../tests/browser/drivers/index.mjs';
import { root } from '../../tests/explorer/site.mjs';
import { quantile } from '../statistics.mjs';
import { textOfTokens } from '../text.mjs';
import { withPage } from './chromium.mjs';
import { focusEnd, isReady, recorded, recordKeystrokes, recordLongTasks, setText, shows } from './page.mjs';

const keystrokes = 60;
const warmUp = 20;

/** Keystroke to painted at 128 and 127 tokens in turn. */
export async function typing(site) {
  const rows = [];
  for (const [host, threads, most] of [
    ['plain', 'one thread', { p50: 100, p95: 150 }],
    ['isolated', 'two threads', { p95: 100 }],
  ]) {
    const records = await withPage(site[host], (page) => typeAtEnd(page, 128));
    rows.push(...spread(`typing at 128 tokens, ${threads}`, latencies(records), most));
    const part = (of) => quantile(records.map(of), 0.5);
    rows.push({ what: `of it the model’s pass, ${threads}, p50`, value: part(({ pass }) => pass), unit: 'ms' });
    const drawing = part(({ frame, ended }) => ended - frame);
    rows.push({ what: `of it the frame that shows it, ${threads}, p50`, value: drawing, unit: 'ms' });
  }
  return rows;
}

/** A driven Firefox starts no worker of a worker at some loads, and the page then waits for its threads. */
async function visit(browser, url) {
  for (let tries = 3; ; tries--) {
    await browser.open(url);
    const ready = browser.waitFor(isReady, { timeout: 20_000 });
    if (tries === 1) return ready;
    if (await ready.catch(() => false)) return true;
  }
}

/** As much as the model reads. */
export async function longer(site) {
  return withPage(site.plain, async (page) => {
    const pasted = await times(5, () => paste(page, 512));
    const typed = await typeAtEnd(page, 512);
    const tasks = (await page.evaluate(() => globalThis.longTasks)).map(({ duration }) => duration);
    return [
      { what: 'pasting 512 tokens, first of 5', value: pasted[0], unit: 'ms', most: 600 },
      { what: 'pasting 512 tokens, p50 of 5', value: quantile(pasted, 0.5), unit: 'ms', most: 600 },
      ...spread('typing at 512 tokens, one thread', latencies(typed)),
      { what: 'tasks over 50 ms on the page’s thread', value: tasks.length, unit: '', most: 0 },
      { what: 'longest of them', value: Math.max(...tasks), unit: 'ms' },
    ];
  });
}

/** The other engines, under their drivers. */
export async function others() {
  const rows = [];
  for (const [host, headers] of [
    ['one thread', {}],
    ['isolated', isolation],
  ]) {
    const server = await serve({ root, headers });
    for (const engine of ['firefox', 'webkit']) {
      const browser = await launch(engine);
      try {
        await visit(browser, server.url);
        const text = `${(await textOfTokens(127)).text} `;
        await browser.evaluate(setText, text);
        await browser.waitFor(shows, { args: [text] });
        await browser.evaluate(focusEnd);
        await browser.evaluate(recordKeystrokes);
        for (let i = 0; i < warmUp + keystrokes; i++) {
          await browser.press(i % 2 === 0 ? 'a' : 'Backspace');
          await browser.waitFor(recorded, { args: [i + 1] });
        }
        const records = (await browser.evaluate(recorded, 0)).slice(warmUp);
        rows.push(...spread(`typing at 128 tokens, ${engine}, ${host}`, latencies(records)));
      } finally {
        await browser.close();
      }
    }
    await server.close();
  }
  return rows;
}

async function typeAtEnd(page, tokens) {
  const text = `${(await textOfTokens(tokens - 1)).text} `;
  await page.evaluate(setText, text);
  await page.waitForFunction(shows, text);
  await page.evaluate(focusEnd);
  await page.evaluate(recordKeystrokes);
  for (let i = 0; i < warmUp + keystrokes; i++) {
    await page.keyboard.press(i % 2 === 0 ? 'a' : 'Backspace');
    await page.waitForFunction(recorded, i + 1);
    // As after a key of one's own: the next is not struck the moment that the picture changes.
    await page.waitForTimeout(40 + (i % 7) * 10);
  }
  return (await page.evaluate(recorded, 0)).slice(warmUp);
}

/** From the opening sentence to a text of so many tokens. */
async function paste(page, tokens) {
  const { text } = await textOfTokens(tokens);
  await page.evaluate(setText, 'Hello.');
  await page.waitForFunction(shows, 'Hello.');
  await page.evaluate(() => globalThis.longTasks ?? null).then((tasks) => tasks ?? page.evaluate(recordLongTasks));
  await page.evaluate(recordKeystrokes);
  await page.waitForTimeout(200);
  await page.evaluate(setText, text);
  await page.waitForFunction(recorded, 1);
  const [{ began, ended }] = await page.evaluate(recorded, 1);
  return ended - began;
}

const latencies = (records) => records.map(({ began, ended }) => ended - began);

const spread = (what, values, most = {}) =>
  [
    ['p50', 0.5],
    ['p95', 0.95],
  ].map(([name, share]) => ({
    what: `${what}, ${name}`,
    value: quantile(values, share),
    unit: 'ms',
    most: most[name],
  }));

async function times(count, run) {
  const results = [];
  for (let i = 0; i < count; i++) results.push(await run());
  return results;
}
