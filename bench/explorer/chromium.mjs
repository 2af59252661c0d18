import { launchBrowser } from '../../tests/browser/drivers/chromium.mjs';
import { locate } from '../../tests/browser/drivers/index.mjs';
import { isReady } from './page.mjs';

/** A fresh browser with one page; `use` is given it opened and ready, unless `prepare` is to come first. */
export async function withPage(url, use, { prepare = () => {}, more = [] } = {}) {
  const browser = await launchBrowser({ ...locate('chromium'), more });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await prepare(page);
    await page.goto(url);
    await page.waitForFunction(isReady);
    return await use(page);
  } finally {
    await browser.close();
  }
}
