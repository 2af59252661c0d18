// Attention against what the register tile does with both operands in the first-level cache, in the same engine.
import { attentionOperations, randomArray } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { loadRoofline } from '../roofline/roofline.mjs';
import { billionsPerSecond, interleave, median, summary } from '../statistics.mjs';

const heads = 12;
const size = 64;
/** Operations of one turn at least: one call at 128 tokens takes a millisecond, too short for a noisy machine. */
const leastWork = 2e8;

export const limit = {
  name: 'limit',
  title: 'Attention with resident tensors beside the register tile alone, 12 heads of 64',
  columns: {
    length: 'tokens',
    variant: 'variant',
    ms: 'ms',
    gigaflops: 'GFLOP/s',
    tile: 'tile alone GFLOP/s',
    share: 'of the tile',
    causalShare: 'causal time of full',
  },
  rows: async ({ effort, quick }) => {
    const rows = [];
    for (const length of quick ? [128, 512] : [128, 512, 1024, 2048, 4096])
      rows.push(...(await measure(length, effort)));
    return rows;
  },
};

function measure(length, effort) {
  return withEngines(async (engines) => {
    const work = attentionOperations({ heads, length, size });
    const calls = Math.max(1, Math.round(leastWork / work));
    const runs = {};
    for (const variant of variants) {
      const { multiply } = await loadRoofline(variant);
      runs[`${variant} tile`] = () => multiply(calls * work);
      runs[`${variant} full`] = repeated(calls, resident(engines[variant], length, { causal: false }));
      runs[`${variant} causal`] = repeated(calls, resident(engines[variant], length, { causal: true }));
    }
    const times = await interleave(runs, effort);
    return variants.map((variant) => {
      const [tile, full, causal] = ['tile', 'full', 'causal'].map((what) => times[`${variant} ${what}`]);
      return {
        length,
        variant,
        ms: median(full) / calls,
        gigaflops: billionsPerSecond(calls * work, full),
        tile: billionsPerSecond(calls * work, tile),
        share: summary(full.map((time, round) => tile[round] / time)),
        causalShare: summary(causal.map((time, round) => time / full[round])),
      };
    });
  });
}

function resident(engine, length, options) {
  const shape = [1, heads, length, size];
  const [q, k, v] = [1, 2, 3].map((seed) => engine.tensor({ data: randomArray(heads * length * size, seed), shape }));
  const out = engine.zeros(shape);
  return () => engine.scaledDotProductAttention(q, k, v, { ...options, out });
}

const repeated = (count, run) => () => {
  for (let n = 0; n < count; n++) run();
};
