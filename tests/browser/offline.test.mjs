// After one visit the explorer needs no network, from a sub-path, with and without the headers that threads need.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isolation, serve } from '../../scripts/lib/serve.mjs';
import { engines, launch } from './drivers/index.mjs';
import { isKept } from './kept.mjs';

const root = fileURLToPath(new URL('../../demo/dist', import.meta.url));
const hosts = [
  { host: 'isolated', headers: isolation },
  { host: 'plain', headers: {} },
];

beforeAll(() => {
  if (!existsSync(`${root}/index.html`)) throw new Error('demo/dist is not built. Run: npm test');
});

const isReady = () => document.querySelector('#root[data-state="ready"]') !== null;

async function visit(browser, url) {
  await browser.open(url);
  await browser.waitFor(isReady);
}

describe.each(engines)('in %s', (engine) => {
  describe.each(hosts)('from a host that is $host', ({ headers }) => {
    let browser;
    let server;
    beforeAll(async () => {
      server = await serve({ root, base: '/some/where/', headers });
      browser = await launch(engine);
      await visit(browser, server.url);
      await browser.waitFor(isKept);
    });
    afterAll(async () => {
      await browser?.close();
      await server?.close();
    });

    test('a second visit asks for no weights', async () => {
      await visit(browser, server.url);
      expect(browser.requests().filter((url) => /\.(safetensors|wasm|css)$/.test(url))).toEqual([]);
    });

    test('the page opens, computes and exports while the host is away', async () => {
      await server.close();
      await visit(browser, `${server.url}?again`);
      const typed = ' No bird was.';
      await browser.evaluate(() => {
        const field = document.querySelector('textarea');
        field.focus();
        field.setSelectionRange(field.value.length, field.value.length);
      });
      await browser.press(...typed);
      const text = await browser.waitFor(
        (end) => {
          const [field, shown] = [document.querySelector('textarea'), document.querySelector('#root').dataset.text];
          return field.value.endsWith(end) && shown === field.value && shown;
        },
        { args: [typed] },
      );
      expect(text.length).toBeGreaterThan(typed.length);

      await browser.evaluate(() => {
        HTMLAnchorElement.prototype.click = () => {}; // The browser's own dialog would follow.
        const { createObjectURL } = URL;
        URL.createObjectURL = (blob) => {
          blob.text().then((text) => {
            document.body.dataset.saved = text;
          });
          return createObjectURL(blob);
        };
        document.querySelector('[popovertarget="export-menu"]').click();
        const buttons = [...document.querySelectorAll('#export-menu button')];
        buttons.find(({ textContent }) => textContent === 'CSV').click();
      });
      const table = await browser.waitFor(() => document.body.dataset.saved);
      const tokens = await browser.evaluate(() => Number(document.querySelector('#root').dataset.tokens));
      expect(table.trim().split('\n').length).toBe(tokens + 1);
    });
  });
});
