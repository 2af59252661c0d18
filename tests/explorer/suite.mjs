import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launchChromium, openReady } from './chromium.mjs';
import { serveExplorer } from './site.mjs';

/**
 * A server and a browser for the tests of a file. Every test must leave its pages without errors, and no page may ask
 * another host or break the policy.
 */
export function useExplorer({ site = {}, args = [] } = {}) {
  const held = {};
  const pages = [];
  beforeAll(async () => {
    held.server = await serveExplorer(site);
    held.chromium = await launchChromium(args);
  });
  afterEach(async () => {
    const problems = pages.flatMap((page) => page.problems);
    await Promise.all(pages.splice(0).map((page) => page.close()));
    expect(problems).toEqual([]);
  });
  afterAll(async () => {
    const { chromium, server } = held;
    const [foreign, violations] = [chromium?.foreignRequests(), chromium?.violations()];
    await chromium?.close();
    await server?.close();
    expect([foreign, violations]).toEqual([[], []]);
  });

  const page = async (options) => {
    const one = await held.chromium.page(options);
    pages.push(one);
    return one;
  };
  return {
    /** Still empty: see launchChromium. */
    page,
    /** `hash`: fields of the address. Waits for the model unless told otherwise. */
    async open({ hash, search = '', ready = true, ...options } = {}) {
      const one = await page(options);
      const address = held.server.url + search + (hash ? `#${new URLSearchParams(hash)}` : '');
      if (ready) await openReady(one, address);
      else await one.goto(address);
      return one;
    },
    get url() {
      return held.server.url;
    },
  };
}
