// Chromium through Playwright: pages of any size and preference, and all that went wrong in them.
import { chromium } from 'playwright-core';
import { violationPath } from '../browser/drivers/index.mjs';
import { isLocal, startProxy } from '../browser/drivers/proxy.mjs';

/** Of a browser that asks nobody and runs as root. */
export const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Hosts that the browser asks by itself. */
const ownTraffic = /\.(google|googleapis|gvt1)\.com$/;

export async function launchChromium(more = []) {
  const proxy = await startProxy(violationPath);
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [...args, ...more],
    proxy: { server: `http://127.0.0.1:${proxy.port}`, bypass: '<-loopback>' },
  });
  return {
    /** A page in a fresh profile. `problems` fills with whatever no visitor should meet. */
    async page({ width = 1280, height = 800, ...options } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce', ...options });
      const page = await context.newPage();
      const problems = [];
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => problems.push(`thrown: ${error.stack ?? error}`));
      return Object.assign(page, { problems });
    },
    /** Addresses asked for, by pages and by their workers, since the start. */
    requests: () => [...proxy.requests],
    foreignRequests: () => proxy.requests.filter(isForeign),
    violations: () => [...proxy.violations],
    async close() {
      await browser.close();
      proxy.close();
    },
  };
}

function isForeign(url) {
  const { hostname } = new URL(url);
  return !isLocal(hostname) && !ownTraffic.test(hostname);
}

/** Opens an address and waits until the model has answered. */
export async function openReady(page, url) {
  await page.goto(url);
  await page.waitForSelector('#root[data-state="ready"]', { state: 'attached' });
}

/** Until what is on screen is of this text, this head. */
export function shown(page, { text, head }) {
  return page.waitForFunction(
    ([text, head]) => {
      const { dataset } = document.querySelector('#root');
      return (text === null || dataset.text === text) && (head === null || dataset.head === head);
    },
    [text ?? null, head ?? null],
  );
}
