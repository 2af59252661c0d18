// Chromium through Playwright: pages of any size and preference, and all that went wrong in them.
import { launchBrowser } from '../browser/drivers/chromium.mjs';
import { isForeign, locate, violationPath } from '../browser/drivers/index.mjs';
import { startProxy } from '../browser/drivers/proxy.mjs';

export async function launchChromium(more = []) {
  const proxy = await startProxy(violationPath);
  const browser = await launchBrowser({ ...locate('chromium'), proxyPort: proxy.port, more });
  const visitors = new Map();
  return {
    /**
     * An empty page, of a visitor who has been here before unless it is a first visit. `problems` fills with whatever
     * nobody should meet.
     */
    async page({ width = 1280, height = 800, isFirstVisit = false, ...preferences } = {}) {
      const who = isFirstVisit ? Symbol() : JSON.stringify(preferences);
      if (!visitors.has(who)) visitors.set(who, await browser.newContext({ reducedMotion: 'reduce', ...preferences }));
      const page = await visitors.get(who).newPage();
      await page.setViewportSize({ width, height });
      const problems = [];
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => problems.push(`thrown: ${error.stack ?? error}`));
      return Object.assign(page, { problems });
    },
    /** Addresses asked for, by pages and by their workers, since the start. */
    requests: () => [...proxy.requests],
    foreignRequests: () => proxy.requests.filter((url) => isForeign(url, 'chromium')),
    violations: () => [...proxy.violations],
    async close() {
      await browser.close();
      proxy.close();
    },
  };
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
