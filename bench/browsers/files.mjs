// Checkpoints loaded in a browser's page, each in a page of its own.
import { launch } from '../../tests/browser/drivers/index.mjs';
import { checkpoints, dtypes } from '../checkpoint.mjs';

const columns = {
  browser: 'browser',
  checkpoint: 'checkpoint',
  dtype: 'in the file',
  parameters: 'parameters',
  ms: 'ms of readSafetensors() and createModel()',
};

export async function filesIn(browser, url, quick) {
  const names = quick ? ['small'] : Object.keys(checkpoints).filter((name) => name !== 'small');
  const rows = [];
  for (const checkpoint of names) {
    for (const dtype of dtypes) {
      const page = await launch(browser);
      try {
        await page.open(url);
        await page.waitFor(() => globalThis.isReady);
        const loaded = await page.evaluate((given) => globalThis.loadCheckpoint(...given), [checkpoint, dtype]);
        rows.push({ browser, checkpoint, dtype, ...loaded });
      } finally {
        await page.close();
      }
    }
  }
  return { title: `Checkpoints in ${browser}`, columns, rows };
}
