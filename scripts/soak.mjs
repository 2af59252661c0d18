// Works for a long time and looks whether memory stays flat and results right.
//   npm run soak [-- --minutes N] [node] [chromium] [firefox] [webkit]     30 minutes of Node.js by default
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as pack from 'attention-wasm';
import { launch } from '../tests/browser/drivers/index.mjs';
import { soak } from '../tests/soak/workload.js';
import { Failure, main, repository } from './lib/run.mjs';
import { isolation, serve } from './lib/serve.mjs';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
async function heapBytes() {
  // What has a finalizer goes when the next collection sees it.
  for (let n = 0; n < 3; n++) {
    collect();
    await setTimeout(10);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** One after another in this process, a part of the time each. */
async function inNode(seconds) {
  const ways = [{ variant: 'simd' }, { threads: 1 }, { threads: 2 }];
  for (const options of ways) {
    const asked = { seconds: seconds / ways.length, options, heapBytes, report: console.log };
    tell(`Node.js ${process.versions.node}, ${JSON.stringify(options)}`, await soak(pack, asked));
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

/** Compiled code and the like: some ten bytes for a call. */
const allowedBytes = 2 << 20;

function tell(where, totals) {
  console.log(where, totals);
  if (totals.error) throw new Failure(`${where}: ${totals.error}`);
  const { warm, last } = totals;
  if (!(last.wasmBytes <= warm.wasmBytes)) throw new Failure(`${where}: WebAssembly's memory grew.`);
  // Only Chromium's pages can tell what they hold.
  if (last.heapBytes === undefined) return console.log('What JavaScript holds was not measured here.');
  if (!(last.heapBytes <= warm.heapBytes + allowedBytes)) throw new Failure(`${where}: what JavaScript holds grew.`);
}

await main(import.meta.url, async () => {
  const options = { minutes: { type: 'string', default: '30' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const seconds = Number(values.minutes) * 60;
  if (!(seconds > 0)) throw new Failure(`--minutes wants a number above 0, not '${values.minutes}'.`);
  for (const where of positionals.length > 0 ? positionals : ['node'])
    await (where === 'node' ? inNode(seconds) : inBrowser(where, seconds));
});
