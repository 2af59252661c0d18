// Long sequences: time, and the module's own high-water mark of what a call holds beside tensors. Fails where a limit is
// broken.
import { createAttention, masks } from '../dist/index.js';
import { randomArray, requireEqual } from './data.mjs';
import { variants } from './engines.mjs';
import { printTable } from './print.mjs';
import { format } from './statistics.mjs';

const size = 64;
const window = [255, 0];
const MB = 2 ** 20;

const limits = { windowBytes: MB, mapBytes: 16 * MB, mapSeconds: 20 };

console.log(`Node ${process.versions.node}, V8 ${process.versions.v8}, one thread, float32, 1 head of ${size}.`);
console.log('Inputs and outputs are resident tensors. Memory is info.highWaterBytes of an engine that made no other');
console.log('kind of call: the most that a call held beside tensors, as the module itself counts it.\n');

const columns = {
  variant: 'variant',
  mask: 'mask',
  seconds: 's',
  mostSeconds: 's at most',
  processor: 's of the processor',
  bytes: 'bytes',
  mostBytes: 'bytes at most',
};
const broken = [];
await print(`65,536 tokens, each seeing itself and the ${window[0]} before it`, windowRows);
await print('attentionMap, 32,768 × 32,768 pairs pooled to 1,024 × 1,024', mapRows);
for (const line of broken) console.error(`LIMIT BROKEN: ${line}`);
if (broken.length > 0) process.exitCode = 1;

async function windowRows(variant) {
  const length = 65_536;
  const ways = {
    'window: [255, 0]': { window },
    'masks.slidingWindow(255, 0)': { mask: masks.slidingWindow(...window) },
  };
  const rows = [];
  let first;
  for (const [name, options] of Object.entries(ways)) {
    const engine = await createAttention({ variant });
    const run = attention(engine, length, options);
    run();
    const output = run.out.data.slice();
    first ??= output;
    requireEqual(output, first, name, 1e-5);
    const seconds = shortest(run, 3);
    const bytes = engine.info.highWaterBytes;
    limit(`${variant}, ${name}: scratch`, bytes, limits.windowBytes, 'bytes');
    rows.push({ variant, mask: name, seconds, bytes, mostBytes: limits.windowBytes });
    engine.dispose();
  }
  return rows;
}

async function mapRows(variant) {
  const engine = await createAttention({ variant });
  const [q, k] = [1, 2].map((seed) => randomTensor(engine, 32_768, seed));
  const used = process.cpuUsage();
  const seconds = shortest(() => engine.attentionMap(q, k, { size: [1024, 1024] }), 1);
  const { user, system } = process.cpuUsage(used);
  const bytes = engine.info.highWaterBytes;
  engine.dispose();
  limit(`${variant}, attentionMap: time`, seconds, limits.mapSeconds, 's');
  limit(`${variant}, attentionMap: memory`, bytes, limits.mapBytes, 'bytes');
  // `processor` is well below `seconds` where the machine had other things to do.
  const processor = (user + system) / 1e6;
  return [{ variant, seconds, mostSeconds: limits.mapSeconds, processor, bytes, mostBytes: limits.mapBytes }];
}

/** A call over resident tensors; its output is `out` of it. */
function attention(engine, length, options) {
  const [q, k, v] = [1, 2, 3].map((seed) => randomTensor(engine, length, seed));
  const out = engine.zeros([length, size]);
  const run = () => engine.scaledDotProductAttention(q, k, v, { ...options, out });
  return Object.assign(run, { out });
}

function randomTensor(engine, length, seed) {
  return engine.tensor({ data: randomArray(length * size, seed), shape: [length, size] });
}

function shortest(run, rounds) {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    run();
    return (performance.now() - start) / 1000;
  });
  return Math.min(...times);
}

function limit(what, value, most, unit) {
  if (!(value <= most)) broken.push(`${what} is ${format(value)} ${unit}, wanted at most ${most}`);
}

async function print(title, rowsOf) {
  const rows = [];
  for (const variant of variants) rows.push(...(await rowsOf(variant)));
  printTable({ title, columns, rows });
}
