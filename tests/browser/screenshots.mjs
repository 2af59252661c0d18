// Pictures of the explorer in every state, wide and narrow, in light, dark and forced colours, into build/screenshots, and
// the README's own of them into docs/explorer.png: node tests/browser/screenshots.mjs [firefox | webkit | state …]
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '../../scripts/lib/serve.mjs';
import { launchChromium } from '../explorer/chromium.mjs';
import { root } from '../explorer/site.mjs';
import { earlyStates, openEarly, openState, states } from '../explorer/states.mjs';
import { launch } from './drivers/index.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(repository, 'build/screenshots');
// The narrow one first: it is where the matrix is opened by a button.
const sizes = [
  { width: 360, height: 800 },
  { width: 768, height: 1024 },
  { width: 1280, height: 800 },
];
const looks = {
  light: { colorScheme: 'light', forcedColors: 'none' },
  dark: { colorScheme: 'dark', forcedColors: 'none' },
  forced: { colorScheme: 'dark', forcedColors: 'active' },
};

const asked = process.argv.slice(2);
const engines = asked.filter((name) => name === 'firefox' || name === 'webkit');
const all = [...Object.keys(earlyStates), ...Object.keys(states)];
const wanted = asked.length > 0 ? all.filter((name) => asked.includes(name)) : all;

mkdirSync(folder, { recursive: true });
const server = await serve({ root });
try {
  for (const engine of engines) await takeOpening(engine);
  if (wanted.length > 0) await takeStates();
} finally {
  await server.close();
}
if (wanted.includes('ready')) copyFileSync(fileOf('ready', sizes[2], 'light'), join(repository, 'docs/explorer.png'));

async function takeStates() {
  const chromium = await launchChromium();
  try {
    for (const name of wanted) {
      const page = await chromium.page(sizes[0]);
      if (name in earlyStates) await openEarly(page, server.url, earlyStates[name]);
      else await openState(page, server.url, name);
      if (name === 'ready') await page.evaluate(typeAndTakeBack);
      for (const size of sizes) {
        await page.setViewportSize(size);
        for (const [look, media] of Object.entries(looks)) {
          await page.emulateMedia(media);
          await page.screenshot({ path: fileOf(name, size, look), fullPage: size.width < 1280 });
        }
      }
      await page.close();
      console.log(name);
    }
  } finally {
    await chromium.close();
  }
}

function fileOf(name, { width, height }, look) {
  return join(folder, `${name.replaceAll(' ', '-')}-${width}x${height}-${look}.png`);
}

async function takeOpening(engine) {
  for (const { width, height } of sizes) {
    for (const colorScheme of ['light', 'dark']) {
      const browser = await launch(engine, { width, height, colorScheme });
      try {
        await browser.open(server.url);
        await browser.waitFor(() => document.querySelector('[data-state="ready"]') !== null);
        await browser.screenshot(join(folder, `${engine}-${width}x${height}-${colorScheme}.png`));
      } finally {
        await browser.close();
      }
    }
  }
  console.log(engine);
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
