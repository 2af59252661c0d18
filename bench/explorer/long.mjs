import { quantile } from '../statistics.mjs';
import { withPage } from './chromium.mjs';
import { countNodes, drive, timeAddress } from './page.mjs';

const address = (temperature) => `model=long&length=4096&layer=0&head=2&temperature=${temperature}`;

/** 4,096 tokens: the sequence without a model. */
export async function long(site) {
  return withPage(site.plain, async (page) => {
    const first = await page.evaluate(timeAddress, address(1));
    await complete(page);
    const rows = [
      // Making the sequence is in it too.
      {
        what: '4,096 tokens, asked to painted without the pass',
        value: first.total - first.pass,
        unit: 'ms',
        most: 500,
      },
      { what: '4,096 tokens, the pass itself', value: first.pass, unit: 'ms' },
      { what: '4,096 tokens, nodes of the page', value: await page.evaluate(countNodes), unit: '', most: 4999 },
    ];
    for (const kind of ['zoom', 'pan']) {
      // Once to make tiles and textures, as on the way there.
      for (const turn of ['first', 'again']) {
        if (kind === 'pan' && turn === 'first')
          await page.evaluate(drive, { kind: 'zoom', count: 12 }).then(() => zoomIn(page));
        const frames = await page.evaluate(drive, { kind, count: 120 });
        for (const part of ['interval', 'work']) rows.push(...spread(`${kind}, ${turn}`, frames, part));
      }
    }
    return rows;
  });
}

const names = { interval: 'frame to frame', work: 'event to end of frame' };

const spread = (what, frames, part) =>
  [
    ['p50', 0.5, 20],
    ['p95', 0.95, 50],
  ].map(([name, share, most]) => ({
    what: `4,096 tokens, ${what}, ${names[part]}, ${name}`,
    value: quantile(
      frames.map((frame) => frame[part]),
      share,
    ),
    unit: 'ms',
    most,
  }));

async function zoomIn(page) {
  await page.getByTestId('matrix').focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press('+');
  await complete(page);
}

const complete = (page) =>
  page.waitForSelector('[data-testid="matrix"] canvas[data-complete="true"]', { state: 'attached' });
