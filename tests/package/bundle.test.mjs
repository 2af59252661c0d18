import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, createLogger } from 'vite';
import { expect, inject, test } from 'vitest';
import { contentSecurityPolicy, serve } from '../../scripts/lib/serve.mjs';
import { launch, violationPath } from '../browser/drivers/index.mjs';

test('a Vite build runs under a strict content security policy, from a sub-path', async () => {
  const root = inject('consumer');
  const warnings = [];
  const warn = (message) => warnings.push(message);
  const customLogger = { ...createLogger('warn'), warn, warnOnce: warn };
  await build({ root, base: './', configFile: false, logLevel: 'warn', customLogger });
  expect(warnings).toEqual([]);
  const modules = readdirSync(join(root, 'dist/assets')).filter((name) => name.endsWith('.wasm'));
  expect(modules).toHaveLength(2);

  const headers = { 'content-security-policy': `${contentSecurityPolicy}; report-uri ${violationPath}` };
  const server = await serve({ root: join(root, 'dist'), base: '/some/where/', headers });
  const browser = await launch('chromium');
  try {
    await browser.open(server.url);
    const result = await browser.waitFor(() => globalThis.result);
    expect(result).toMatchObject({ variant: 'relaxed-simd', shape: [2, 9, 12], tensors: ['answer'] });
    expect(result.difference).toBeLessThanOrEqual(4e-6);
    expect(browser.requests().filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
    expect(browser.foreignRequests()).toEqual([]);
    expect(browser.violations()).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});
