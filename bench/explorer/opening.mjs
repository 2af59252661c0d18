import { quantile } from '../statistics.mjs';
import { withPage } from './chromium.mjs';
import { recordOpening } from './page.mjs';

const visits = 5;

/** From the navigation to the painted example, and to the model's own answer. */
export async function opening(site) {
  const opened = [];
  for (let visit = 0; visit < visits; visit++) {
    const prepare = (page) => page.addInitScript(recordOpening);
    const read = (page) => {
      return page
        .waitForFunction(() => globalThis.readyAt)
        .then(() => page.evaluate(() => ({ example: globalThis.exampleAt, ready: globalThis.readyAt })));
    };
    opened.push(await withPage(site.plain, read, { prepare }));
  }
  const middle = (name) =>
    quantile(
      opened.map((one) => one[name]),
      0.5,
    );
  return [
    { what: 'navigation to the example painted, p50 of 5', value: middle('example'), unit: 'ms', most: 1000 },
    { what: 'navigation to the model’s answer, p50 of 5', value: middle('ready'), unit: 'ms' },
  ];
}
