// The built package in a plain page: no bundler, strict content security policy, no cross-origin isolation.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentSecurityPolicy, serve } from '../../scripts/lib/serve.mjs';
import { engines, launch, violationPath } from './drivers/index.mjs';
import { encode } from './tokens.mjs';

const headers = { 'content-security-policy': `${contentSecurityPolicy}; report-uri ${violationPath}` };

let server;
beforeAll(async () => {
  server = await serve({ root: fileURLToPath(new URL('../..', import.meta.url)), headers });
});
afterAll(() => server?.close());

describe.each(engines)('in %s', (engine) => {
  let browser;
  const run = (place, name, ...args) => browser.evaluate((...call) => globalThis.run(...call), place, name, ...args);

  beforeAll(async () => {
    browser = await launch(engine);
    await browser.open(`${server.url}tests/browser/page/index.html`);
    await browser.waitFor(() => 'run' in globalThis);
  });
  afterAll(() => browser?.close());

  describe.each(['page', 'worker'])('on the %s thread', (place) => {
    // Chromium has had relaxed SIMD from 114 on and Firefox from 145 on. WebKitGTK 2.52 lacks it, and 2.54 has a
    // multiply-add that is not fused.
    const fusesRelaxedSimd = async () => engine !== 'webkit' && (await run(place, 'relaxedSimd'));

    test('takes the fastest variant the engine supports', async () => {
      const supported = await fusesRelaxedSimd();
      if (engine === 'chromium') expect(supported).toBe(true);
      expect(await run(place, 'variant')).toBe(supported ? 'relaxed-simd' : 'simd');
    });

    test('takes a variant by name or says that the engine lacks it', async () => {
      const has = await run(place, 'relaxedSimd');
      expect(await run(place, 'loadVariant', 'simd')).toBe('simd');
      expect(await run(place, 'loadVariant', 'relaxed-simd')).toBe(has ? 'relaxed-simd' : 'UNSUPPORTED_ENGINE');
    });

    test('attention follows the formula', async () => {
      const difference = await run(place, 'attention');
      // float32 against double, semantics of the package: 2e-6 · (1 + max|V|), and |V| < 1 here.
      expect(difference.output).toBeLessThanOrEqual(4e-6);
      expect(difference.weights).toBeLessThanOrEqual(4e-6);
    });

    test('MiniLM embeds a sentence and links "it" to "animal"', async () => {
      const embedded = encode('This is an example sentence');
      const attended = encode('The animal did not cross the street because it was too tired.');
      const from = attended.tokens.indexOf('it');
      const to = attended.tokens.indexOf('animal');
      const ids = { embedded: embedded.ids, attended: attended.ids };
      const { embedding, probability } = await run(place, 'miniLM', { ...ids, layer: 3, head: 1, from, to });
      const published = [0.0676553, 0.0635566, 0.0487346, 0.0794127];
      for (const [index, value] of published.entries()) {
        expect(Math.abs(embedding[index] - value)).toBeLessThanOrEqual(2e-4);
      }
      expect(Math.abs(probability - 0.688)).toBeLessThanOrEqual(0.002);
    });
  });

  test('asked its own origin only and broke no policy', () => {
    expect(browser.requests().some((url) => url.endsWith('.wasm'))).toBe(true);
    expect(browser.foreignRequests()).toEqual([]);
    expect(browser.violations()).toEqual([]);
  });

  test('the policy is in force: text does not become code, and the attempt is reported', async () => {
    expect(await run('page', 'evaluatesText')).toBe(false);
    await expect.poll(() => browser.violations().length).toBe(1);
  });
});
