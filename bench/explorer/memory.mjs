import { withPage } from './chromium.mjs';
import { measureMemory, timeAddress } from './page.mjs';

/** Without waiting for the next collection. */
const more = ['--enable-blink-features=ForceEagerMeasureMemory'];

/** What the page takes with its worker, the model's memory included. */
export async function memory({ isolated, weightBytes }) {
  return withPage(
    isolated,
    async (page) => {
      const example = await page.evaluate(measureMemory);
      await page.evaluate(timeAddress, 'model=long&length=4096&layer=0&head=2');
      await page.getByTestId('matrix').focus();
      for (let i = 0; i < 4; i++) await page.keyboard.press('+');
      await page.waitForTimeout(2000);
      const long = await page.evaluate(measureMemory);
      const beyond = (bytes) => (bytes - weightBytes) / 1e6;
      return [
        { what: 'memory beyond the weights, opening sentence', value: beyond(example), unit: 'MB', most: 150 },
        { what: 'memory beyond the weights, 4,096 tokens', value: beyond(long), unit: 'MB', most: 150 },
      ];
    },
    { more },
  );
}
