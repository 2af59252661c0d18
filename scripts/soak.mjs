// Works for a long time and looks whether memory stays flat and results right.
//   npm run soak [-- --minutes N] [node] [chromium] [firefox] [webkit]     30 minutes of Node.js by default
import { parseArgs } from 'node:util';
import * as pack from 'attention-wasm';
import { launch } from '../tests/browser/drivers/index.mjs';
import { soak } from '../tests/soak/workload.js';
import { Failure, main, repository } from './lib/run.mjs';
import { isolation, serve } from './lib/serve.mjs';

/** One after another in this process, a part of the time each. */
async function inNode(seconds) {
  const ways = [{ variant: 'simd' }, { threads: 1 }, { threads: 2 }];
  for (const options of ways) {
    const totals = await soak(pack, { seconds: seconds / ways.length, options, report: console.log });
    tell(`Node.js ${process.versions.node}, ${JSON.stringify(options)}`, {
      ...totals,
      heapBytes: process.memoryUsage().heapUsed,
    });
  }
}

async function inBrowser(engine, seconds) {
  const server = await serve({ root: repository, headers: { ...isolation, 'content-security-policy': '' } });
  for (const threads of [1, 2]) {
    const browser = await launch(engine);
    try {
      await browser.open(`${server.url}tests/soak/index.html?seconds=${seconds / 2}&threads=${threads}`);
      const timeout = seconds * 1000 + 120_000;
      tell(`${engine}, threads: ${threads}`, await browser.waitFor(() => globalThis.result, { timeout }));
    } finally {
      await browser.close();
    }
  }
  await server.close();
}

function tell(where, totals) {
  console.log(where, totals);
  if (totals.error) throw new Failure(`${where}: ${totals.error}`);
  if (!(totals.lastBytes <= totals.warmBytes)) throw new Failure(`${where}: memory grew.`);
}

await main(import.meta.url, async () => {
  const options = { minutes: { type: 'string', default: '30' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const seconds = Number(values.minutes) * 60;
  if (!(seconds > 0)) throw new Failure(`--minutes wants a number above 0, not '${values.minutes}'.`);
  for (const where of positionals.length > 0 ? positionals : ['node'])
    await (where === 'node' ? inNode(seconds) : inBrowser(where, seconds));
});
