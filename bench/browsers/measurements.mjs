// Attention in pages of three browsers: beside onnxruntime-web in Chromium and Firefox, alone in WebKitGTK.
import { main, repository } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/lib/serve.mjs';
import { engines as browsers, launch } from '../../tests/browser/drivers/index.mjs';
import { attentionOperations } from '../data.mjs';
import { variants } from '../engines.mjs';
import { describeMachine } from '../machine.mjs';
import { multiHeadAttention, standardAttention } from '../peers/attention-graphs.mjs';
import { encodeGraph } from '../peers/onnx.mjs';
import { printTable } from '../print.mjs';
import { writeResults } from '../results.mjs';
import { billionsPerSecond, effort, median, summary, timesFaster } from '../statistics.mjs';
import { filesIn } from './files.mjs';

const heads = 12;
const size = 64;

const columns = {
  browser: 'browser',
  length: 'tokens',
  mask: 'mask',
  who: 'who',
  ms: 'ms',
  gigaflops: 'GFLOP/s',
  faster: 'times faster than onnxruntime-web',
  operator: 'operator',
};

// An isolated page has the finer clock. What is measured needs no inline script, and nothing of the package's own policy.
const headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'",
};

async function measure({ quick = false, out }) {
  const server = await serve({ root: repository, headers });
  const tables = [];
  try {
    for (const browser of browsers) {
      const url = `${server.url}bench/browsers/index.html`;
      for (const tableOf of [inBrowser, filesIn]) {
        const table = await tableOf(browser, url, quick);
        tables.push(table);
        printTable(table);
      }
    }
  } finally {
    await server.close();
  }
  const rows = tables.flatMap(({ rows }) => rows);
  const results = { browsers: rows.filter(({ who }) => who), files: rows.filter(({ checkpoint }) => checkpoint) };
  if (out) await writeResults(out, 'browsers', { machine: describeMachine(), results, tables });
}

async function inBrowser(browser, url, quick) {
  const page = await launch(browser);
  try {
    await page.open(url);
    await page.waitFor(() => globalThis.isReady);
    const here = await page.evaluate((names) => globalThis.variantsHere(names), variants);
    const rows = [];
    for (const length of quick ? [128, 512] : [128, 512, 1024, 2048]) {
      for (const causal of [false, true]) {
        const shape = { heads, length, size, causal };
        const models = browser === 'webkit' ? undefined : modelsOf(shape);
        const task = { shape, variants: here, models, effort: quick ? effort.quick : effort.full };
        const times = await page.evaluate((given) => globalThis.measure(given), task);
        rows.push(
          ...rowsOf(times, shape).map((row) => ({ browser, length, mask: causal ? 'causal' : 'full', ...row })),
        );
      }
    }
    return { title: await page.evaluate(() => navigator.userAgent), columns, rows };
  } finally {
    await page.close();
  }
}

/** As arrays of numbers, which reach the page as JSON. */
function modelsOf(shape) {
  return {
    Attention: Array.from(encodeGraph(standardAttention(shape))),
    MultiHeadAttention: Array.from(encodeGraph(multiHeadAttention(shape))),
  };
}

function rowsOf(times, shape) {
  const row = (who, name) => ({
    who,
    ms: summary(times[name]),
    gigaflops: billionsPerSecond(attentionOperations(shape), times[name]),
  });
  const ours = variants.filter((variant) => times[variant]).map((variant) => row(variant, variant));
  const operators = ['Attention', 'MultiHeadAttention'].filter((name) => times[name]);
  if (operators.length === 0) return ours;
  const [operator] = operators.sort((a, b) => median(times[a]) - median(times[b]));
  const compared = ours.map((own) => ({ ...own, faster: timesFaster(times[own.who], times[operator]) }));
  return [...compared, { ...row('onnxruntime-web', operator), operator }];
}

await main(import.meta.url, () => measure(JSON.parse(process.argv[2])));
