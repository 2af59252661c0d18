// One query against a cache: bytes of keys and values a second, beside what reading them alone or multiplying alone takes.
import { attentionOperations, filledTensor } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { loadRoofline } from '../roofline/roofline.mjs';
import { billionsPerSecond, interleave, summary, timesFaster } from '../statistics.mjs';

const heads = 32;
const size = 128;
const bytesPerValue = { float32: 4, float16: 2, int8: 1 };

export const decode = {
  name: 'decode',
  title: 'Decode: 1 query, 32 heads of 128; keys and values resident',
  columns: {
    keys: 'keys',
    kvHeads: 'K/V heads',
    dtype: 'of',
    variant: 'variant',
    ms: 'ms',
    bytes: 'bytes',
    bandwidth: 'GB/s',
    readBandwidth: 'reading alone GB/s',
    share: 'of the lower limit',
    faster: 'times faster than float32',
  },
  rows: async ({ effort, quick }) => {
    const rows = [];
    for (const keys of quick ? [4096] : [1024, 4096, 16_384]) {
      for (const kvHeads of [8, 32]) {
        for (const variant of variants) rows.push(...(await measure({ keys, kvHeads, variant }, effort)));
      }
    }
    return rows;
  },
};

function measure({ keys, kvHeads, variant }, effort) {
  return withEngines(async ({ [variant]: engine }) => {
    const { multiply, read } = await loadRoofline(variant);
    const work = attentionOperations({ heads, length: 1, keys, size });
    const caches = cachesOf(engine, { keys, kvHeads });
    const runs = { multiply: () => multiply(work) };
    for (const { dtype, run, bytes } of caches) {
      runs[dtype] = run;
      runs[`read ${dtype}`] = () => read(bytes);
    }
    const times = await interleave(runs, effort);
    return caches.map(({ dtype, bytes }) => {
      const [own, reading] = [times[dtype], times[`read ${dtype}`]];
      return {
        keys,
        kvHeads,
        dtype,
        variant,
        bytes,
        bytesShare: bytes / caches[0].bytes,
        ms: summary(own),
        bandwidth: billionsPerSecond(bytes, own),
        readBandwidth: billionsPerSecond(bytes, reading),
        share: summary(own.map((time, round) => Math.max(reading[round], times.multiply[round]) / time)),
        faster: timesFaster(own, times.float32),
      };
    });
  });
}

/** A call with each kind of cache, and the bytes that it reads. */
function cachesOf(engine, shape) {
  const q = filledTensor(engine, [1, heads, 1, size]);
  const out = engine.zeros([1, heads, 1, size]);
  return Object.keys(bytesPerValue).map((dtype) => {
    const { k, v, options, bytes } = cache(engine, dtype, shape);
    return { dtype, bytes, run: () => engine.scaledDotProductAttention(q, k, v, { ...options, out }) };
  });
}

function cache(engine, dtype, { keys, kvHeads }) {
  const [k, v] = [1, 2].map(() => filledTensor(engine, [1, kvHeads, keys, size], dtype));
  const bytes = 2 * kvHeads * keys * size * bytesPerValue[dtype];
  if (dtype !== 'int8') return { k, v, options: {}, bytes };
  // One scale for each head and position.
  const scales = { data: new Float32Array(kvHeads * keys).fill(1 / 127), shape: [1, kvHeads, keys] };
  const [keyScales, valueScales] = [1, 2].map(() => engine.tensor(scales));
  return { k, v, options: { keyScales, valueScales }, bytes: bytes + 2 * kvHeads * keys * 4 };
}
