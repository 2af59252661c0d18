import { type Attention, createAttention } from 'attention-wasm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exactly, expectAttention } from './against-oracle.ts';
import { callOf } from './arbitrary/call.ts';
import { type Recipe, recipes } from './arbitrary/recipe.ts';
import { seed } from './random.ts';
import { type Variant, variants } from './variants.ts';

const groups = 24;
const cases = 500;

const engines: [Variant, Attention][] = [];
beforeAll(async () => {
  for (const variant of variants) engines.push([variant, await createAttention({ variant })]);
});
afterAll(() => {
  for (const [, engine] of engines) engine.dispose();
});

test('what is asked', () => {
  console.log(`${groups * cases} random calls of each of ${variants}; ATTENTION_WASM_SEED=${seed} repeats them`);
  const sample = fc.sample(recipes, { seed, numRuns: 2000 });
  const share = (has: (recipe: Recipe) => unknown) => sample.filter(has).length / sample.length;
  const options = Object.keys(sample[0]?.options ?? {}) as (keyof Recipe['options'])[];
  expect(options).toHaveLength(10);
  for (const name of options)
    expect(
      share((r) => r.options[name] !== undefined),
      name,
    ).toBeGreaterThan(0.1);
  expect(share((r) => r.long)).toBeGreaterThan(0.02);
  // Nearly every call attends to something, and poison lies where it can do harm.
  const exact = sample.slice(0, 300).map((recipe) => {
    const { inputs, options } = callOf(recipe);
    return { probabilities: exactly(inputs, options).probabilities.data, keys: inputs[1].data };
  });
  expect(exact.filter(({ probabilities }) => probabilities.some((p) => p > 0)).length).toBeGreaterThan(150);
  expect(exact.filter(({ keys }) => Array.from(keys, Number).some(Number.isNaN)).length).toBeGreaterThan(15);
});

/** Semantics 12: within 2e-6·(1 + max|V|) for |scores| ≤ 50, to which the calls keep; compare.ts derives the other bounds. */
test.for(Array.from({ length: groups }, (_, group) => group))(`group %i of ${groups}, seed ${seed}`, (group) => {
  const property = fc.property(recipes, (recipe) => {
    const { inputs, options, manner } = callOf(recipe);
    const exact = exactly(inputs, options);
    for (const [variant, engine] of engines)
      try {
        expectAttention(engine, inputs, options, manner, exact);
      } catch (cause) {
        throw new Error(`${variant}: ${cause}`, { cause });
      }
  });
  fc.assert(property, { seed: seed + group, numRuns: cases });
});
