// Cost follows what is attended: sequences twice as long under one window, and block-sparse masks of several densities.
import { masks } from '../../dist/index.js';
import { randomArray } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { interleave, median, summary } from '../statistics.mjs';

const size = 64;
const blockSize = 64;

export const growth = {
  name: 'growth',
  title: 'Twice the tokens, the same window of 256, 1 head of 64: 2 is linear',
  columns: { length: 'tokens', variant: 'variant', ms: 'ms', ratio: 'times half the tokens' },
  rows: ({ effort }) =>
    withEngines(async (engines) => {
      const rows = [];
      for (const variant of variants) {
        const run = (length) => attention(engines[variant], length, { window: [255, 0] });
        const times = await interleave({ half: run(16_384), whole: run(32_768) }, effort);
        const ratio = summary(times.whole.map((time, round) => time / times.half[round]));
        rows.push({ length: 32_768, variant, ms: summary(times.whole), ratio });
      }
      return rows;
    }),
};

export const density = {
  name: 'density',
  title: 'Block-sparse masks, 1 head of 64: time against density',
  columns: {
    length: 'tokens',
    variant: 'variant',
    density: 'density',
    ms: 'ms',
    share: 'time of the full one',
    proportion: 'time of what density says',
  },
  rows: ({ effort, quick }) =>
    withEngines(async (engines) => {
      const length = quick ? 2048 : 8192;
      const rows = [];
      for (const variant of variants) rows.push(...(await densityRows(engines[variant], variant, length, effort)));
      return rows;
    }),
};

async function densityRows(engine, variant, length, effort) {
  const rules = [1, 0.5, 0.25, 0.125, 0.0625].map((share) =>
    masks.blockSparse(scattered(length / blockSize, share), blockSize),
  );
  const times = await interleave(
    Object.fromEntries(rules.map((mask, at) => [at, attention(engine, length, { mask })])),
    effort,
  );
  const whole = times[0];
  return rules.map((mask, at) => {
    const share = mask.density({ queries: length, keys: length });
    return {
      length,
      variant,
      density: share,
      ms: summary(times[at]),
      share: median(times[at]) / median(whole),
      proportion: summary(times[at].map((time, round) => time / whole[round] / share)),
    };
  });
}

/** A call over resident tensors. */
function attention(engine, length, options) {
  const shape = [length, size];
  const [q, k, v] = [1, 2, 3].map((seed) => engine.tensor({ data: randomArray(length * size, seed), shape }));
  const out = engine.zeros(shape);
  return () => engine.scaledDotProductAttention(q, k, v, { ...options, out });
}

/** The diagonal and, of the other blocks, about `share`. */
function scattered(blocks, share) {
  const data = Uint8Array.from({ length: blocks ** 2 }, (_, n) => {
    const isDiagonal = n % (blocks + 1) === 0;
    return isDiagonal || (Math.imul(n + 1, 0x9e3779b1) >>> 0) / 2 ** 32 < share ? 1 : 0;
  });
  return { data, shape: [1, 1, blocks, blocks], dtype: 'bool' };
}
