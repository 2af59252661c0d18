import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stages } from './against-oracle.ts';
import { cacheRecipes, ranks, wrongs } from './arbitrary/cache-recipe.ts';
import { liveThrough } from './arbitrary/cache-run.ts';
import { cacheTypes } from './kv-cache-model.ts';
import { seed } from './random.ts';
import { forEachVariant, variants } from './variants.ts';

const groups = 25;
const livesPerGroup = 100; // 2,500 lives in each variant

/** Whatever a run must have met, or it did not test it. */
const everything = [
  ...['append', 'attend', 'look', 'truncate', 'fork', 'reorder', 'clear', 'reload', 'dispose', 'wrong'],
  ...['no room', 'truncate into what is gone', 'keys are gone', 'more than 128 keys', 'many queries', 'poison'],
  ...wrongs,
  ...cacheTypes.map((type) => `dtype ${type}`),
  ...['batch', 'valueDim', 'capacity', 'window', 'sinkTokens'].map((name) => `config ${name}`),
  ...ranks.flatMap((rank) => [`append ${rank}`, `attend ${rank}`]),
  ...['float32', 'float64', 'float16'].map((type) => `given ${type}`),
  ...'layout numHeads numKvHeads scale causal window queryOffset mask attentionMask softcap alibi sinks kvLengths'
    .split(' ')
    .map((name) => `options.${name}`),
  ...['a rule', 'a dense mask', 'logSumExp', 'out array', 'out tensor'],
  ...[true, false, ...stages].map((weights) => `weights ${weights}`),
  ...['q', 'k', 'v', 'mask', 'attentionMask', 'alibi', 'sinks'].map((name) => `resident ${name}`),
];

forEachVariant(`caches lived through at random, seed ${seed}`, (engine, variant) => {
  const met = new Set<string>();
  let lives = 0;
  const base = seed + 1000 * variants.indexOf(variant as (typeof variants)[number]);

  test.for(Array.from({ length: groups }, (_, group) => group))(`group %i of ${groups}`, (group) => {
    const property = fc.property(cacheRecipes, (recipe) => {
      lives++;
      liveThrough(engine(), recipe, (what) => met.add(what));
    });
    fc.assert(property, { seed: base + group, numRuns: livesPerGroup });
  });
  test('met everything that there is', () => {
    expect(lives).toBeGreaterThanOrEqual(groups * livesPerGroup);
    expect(everything.filter((what) => !met.has(what))).toEqual([]);
  });
});
