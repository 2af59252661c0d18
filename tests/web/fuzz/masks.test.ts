import { type Attention, createAttention } from 'attention-wasm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exactly, expectAttention } from '../against-oracle.ts';
import { callOf } from '../arbitrary/call.ts';
import { maskTree, meaningOf } from '../arbitrary/mask-rule.ts';
import { recipes } from '../arbitrary/recipe.ts';
import { fitOf } from '../mask-builders.ts';
import { randomShape } from '../mask-trees.ts';
import * as oracle from '../oracle/masks.ts';
import { Random } from '../random.ts';
import { explore } from './run.ts';

/** Trees of rules: as dense masks they say what they mean pair by pair, and compiled to blocks attention obeys them. */
let engine: Attention;
beforeAll(async () => {
  engine = await createAttention();
});
afterAll(() => engine?.dispose());

test('rules as dense masks', async () => {
  const property = fc.property(maskTree, fc.noBias(fc.nat()), (tree, from) => {
    const shape = randomShape(new Random(from));
    const { mask, rule, text } = meaningOf(tree, fitOf(shape));
    const [got, want] = [mask.toDense(shape), oracle.toDense(rule, shape)];
    expect(got.shape).toEqual(want.shape);
    const wrong = want.data.findIndex((bit, n) => got.data[n] !== bit);
    if (got.data.length !== want.data.length || wrong >= 0)
      throw new Error(`${text} over ${JSON.stringify(shape)}: pair ${wrong} is ${got.data[wrong]}`);
  });
  await explore('masks, dense', property, 300, 0.5);
});

test('rules in attention', async () => {
  const ruled = fc.tuple(recipes, maskTree).map(([recipe, tree]) => ({
    ...recipe,
    options: { ...recipe.options, mask: { tree } },
  }));
  const property = fc.property(ruled, (recipe) => {
    const { inputs, options, manner } = callOf(recipe);
    expectAttention(engine, inputs, options, manner, exactly(inputs, options));
  });
  await explore('masks, in attention', property, 300, 0.5);
});
