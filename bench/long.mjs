// Long sequences: time, and the module's own high-water mark of what a call holds beside tensors. Fails where a limit is
// broken.
import { createAttention, masks } from '../dist/index.js';
import { interleave, median } from './statistics.mjs';

const variants = ['simd', 'relaxed-simd'];
const size = 64;
const window = [255, 0];
const MB = 2 ** 20;

const limits = { windowBytes: MB, mapBytes: 16 * MB, mapSeconds: 20 };

console.log(`Node ${process.versions.node}, V8 ${process.versions.v8}, one thread, float32, 1 head of ${size}.`);
console.log('Inputs and outputs are resident tensors. Memory is info.highWaterBytes of an engine that made no other');
console.log('kind of call: the most that a call held beside tensors, as the module itself counts it.\n');

const broken = [];
await print(`65,536 tokens, each seeing itself and the ${window[0]} before it`, windowRows);
await print('attentionMap, 32,768 × 32,768 pairs pooled to 1,024 × 1,024', mapRows);
await print(`Twice the tokens, the same window of ${window[0]}: 2 is linear`, growthRows);
await print('Block-sparse masks of 8,192 tokens: time against density', densityRows);
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
    requireEqual(output, first, name);
    const seconds = shortest(run, 3);
    const bytes = engine.info.highWaterBytes;
    limit(`${variant}, ${name}: scratch`, bytes, limits.windowBytes, 'bytes');
    rows.push({
      variant,
      mask: name,
      'time s': round(seconds),
      'memory bytes': bytes,
      'at most bytes': limits.windowBytes,
    });
    engine.dispose();
  }
  return rows;
}

async function mapRows(variant) {
  const engine = await createAttention({ variant });
  const [q, k] = [randomTensor(engine, 32_768), randomTensor(engine, 32_768)];
  const used = process.cpuUsage();
  const seconds = shortest(() => engine.attentionMap(q, k, { size: [1024, 1024] }), 1);
  const { user, system } = process.cpuUsage(used);
  const bytes = engine.info.highWaterBytes;
  engine.dispose();
  limit(`${variant}, attentionMap: time`, seconds, limits.mapSeconds, 's');
  limit(`${variant}, attentionMap: memory`, bytes, limits.mapBytes, 'bytes');
  return [
    {
      variant,
      'time s': round(seconds),
      'at most s': limits.mapSeconds,
      // Well below the time where the machine had other things to do.
      'of the processor s': round((user + system) / 1e6),
      'memory bytes': bytes,
      'at most bytes': limits.mapBytes,
    },
  ];
}

async function growthRows(variant) {
  const engine = await createAttention({ variant });
  const [short, long] = [16_384, 32_768];
  const times = await interleave(
    { short: attention(engine, short, { window }), long: attention(engine, long, { window }) },
    5,
  );
  engine.dispose();
  const [before, after] = [median(times.short), median(times.long)];
  return [{ variant, '16,384 ms': round(before), '32,768 ms': round(after), ratio: round(after / before) }];
}

async function densityRows(variant) {
  const length = 8192;
  const engine = await createAttention({ variant });
  const shares = [1, 0.5, 0.25, 0.125, 0.0625];
  const rules = shares.map((share) => masks.blockSparse(scattered(length / 64, share), 64));
  const runs = Object.fromEntries(rules.map((mask, i) => [shares[i], attention(engine, length, { mask })]));
  const times = await interleave(runs, 3);
  engine.dispose();
  const whole = median(times[1]);
  return shares.map((share, i) => ({
    variant,
    density: round(rules[i].density({ queries: length, keys: length })),
    'time ms': round(median(times[share])),
    'of the full one': round(median(times[share]) / whole),
  }));
}

/** A call over resident tensors; its output is `out` of it. */
function attention(engine, length, options) {
  const [q, k, v] = [0, 1, 2].map(() => randomTensor(engine, length));
  const out = engine.zeros([length, size]);
  const run = () => engine.scaledDotProductAttention(q, k, v, { ...options, out });
  return Object.assign(run, { out });
}

/** The same numbers for the same length, in [-1, 1): every way of a call is asked the same. */
function randomTensor(engine, length) {
  let state = length;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return engine.tensor({ data: Float32Array.from({ length: length * size }, next), shape: [length, size] });
}

/** The diagonal and, of the other blocks, about `share`. */
function scattered(blocks, share) {
  const data = Uint8Array.from({ length: blocks ** 2 }, (_, n) => {
    const isDiagonal = n % (blocks + 1) === 0;
    return isDiagonal || (Math.imul(n + 1, 0x9e3779b1) >>> 0) / 2 ** 32 < share ? 1 : 0;
  });
  return { data, shape: [1, 1, blocks, blocks], dtype: 'bool' };
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
  if (!(value <= most)) broken.push(`${what} is ${round(value)} ${unit}, wanted at most ${most}`);
}

function requireEqual(actual, expected, name) {
  const difference = expected.reduce((largest, value, index) => Math.max(largest, Math.abs(actual[index] - value)), 0);
  if (!(difference <= 1e-5)) throw new Error(`${name} differs from the window by ${difference}; 1e-5 is allowed.`);
}

async function print(title, rowsOf) {
  console.log(title);
  const rows = [];
  for (const variant of variants) rows.push(...(await rowsOf(variant)));
  console.table(rows);
}

function round(value) {
  return Number(value.toPrecision(3));
}
