// Pictures of the explorer, wide and narrow, light and dark, into build/screenshots, and the README's own of them into
// docs/explorer.png: node tests/browser/screenshots.mjs [engine …]
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '../../scripts/lib/serve.mjs';
import { launch } from './drivers/index.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(repository, 'build/screenshots');
const engines = process.argv.length > 2 ? process.argv.slice(2) : ['chromium'];

mkdirSync(folder, { recursive: true });
const server = await serve({ root: join(repository, 'demo/dist') });
try {
  for (const engine of engines) {
    for (const width of [1280, 360]) {
      for (const colorScheme of ['light', 'dark']) await take(engine, { width, height: 800, colorScheme });
    }
  }
} finally {
  await server.close();
}
if (engines.includes('chromium')) {
  mkdirSync(join(repository, 'docs'), { recursive: true });
  copyFileSync(join(folder, 'chromium-1280x800-light.png'), join(repository, 'docs/explorer.png'));
}

async function take(engine, options) {
  const file = join(folder, `${engine}-${options.width}x${options.height}-${options.colorScheme}.png`);
  const browser = await launch(engine, options);
  try {
    await browser.open(server.url);
    await browser.waitFor(() => document.querySelector('[data-state="ready"]') !== null);
    await browser.evaluate(typeAndTakeBack);
    await browser.screenshot(file);
    console.log(file);
  } finally {
    await browser.close();
  }
}

/** In the page. The engine compiles during the first readings; the time shown is to be that of someone who types. */
async function typeAndTakeBack() {
  const field = document.querySelector('textarea');
  const sentence = field.value;
  for (let count = 0; count < 8; count++) {
    field.value = count % 2 === 0 ? `${sentence} ` : sentence;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((done) => setTimeout(done, 250));
  }
}
