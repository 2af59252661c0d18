// A visitor of an older build of the explorer comes back: the new one is shown at once, what did not change is not fetched
// again, and what the new one no longer has is dropped.
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve } from '../../scripts/lib/serve.mjs';
import { engines, launch } from './drivers/index.mjs';
import { isKept } from './kept.mjs';

const dist = fileURLToPath(new URL('../../demo/dist', import.meta.url));
const isReady = () => document.querySelector('#root[data-state="ready"]') !== null;
const isWaiting = async () => Boolean((await navigator.serviceWorker.getRegistration())?.waiting);
const isDropped = async (file) => {
  const cache = await caches.open('attention-explorer');
  return !(await cache.keys()).some(({ url }) => url.endsWith(file));
};

describe.each(engines)('in %s', (engine) => {
  let folder;
  let server;
  let browser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'attention-explorer-'));
    cpSync(dist, folder, { recursive: true, filter: (file) => !file.includes('fp16') });
    server = await serve({ root: folder, base: '/some/where/' });
    browser = await launch(engine);
    await browser.open(server.url);
    await browser.waitFor(isReady);
    await browser.waitFor(isKept);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a new build takes the place of the old one', async () => {
    const { older, newer } = releaseNewStyle(folder);
    await browser.open(server.url);
    await browser.waitFor(isReady);
    await browser.waitFor(isWaiting);
    const asked = browser.requests();
    expect(asked.filter((url) => url.endsWith(newer))).not.toEqual([]);
    expect(asked.filter((url) => /\.(safetensors|wasm)$|tokenizer/.test(url))).toEqual([]);
    // An open page keeps its files.
    expect(await browser.evaluate(isDropped, older)).toBe(false);

    // Firefox holds the page for its back button, and the old worker with it, for half an hour.
    if (engine === 'firefox') return;
    // Elsewhere on the host.
    await browser.open(new URL('/', server.url).href);
    await browser.waitFor(isDropped, { args: [older] });
    expect(await browser.evaluate(isDropped, newer)).toBe(false);
    expect(await browser.evaluate(isDropped, '.safetensors')).toBe(false);
  });
});

/** What a build with another style sheet would change. */
function releaseNewStyle(folder) {
  const older = readdirSync(join(folder, 'assets')).find((name) => name.endsWith('.css'));
  const newer = 'index-another.css';
  renameSync(join(folder, 'assets', older), join(folder, 'assets', newer));
  appendFileSync(join(folder, 'assets', newer), '\n:root { --release: 2 }\n');
  for (const file of ['index.html', 'sw.js']) {
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(older, newer));
  }
  return { older, newer };
}
