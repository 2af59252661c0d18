import { type Attention, createAttention, masks, type NdArray } from 'attention-wasm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callOf } from './arbitrary/call.ts';
import { recipes } from './arbitrary/recipe.ts';
import { Random, seed } from './random.ts';
import { functions, tensor } from './sized-calls.ts';
import { variants } from './variants.ts';

const random = new Random(29);
const heads = (B: number, H: number, S: number, D: number) => random.tensor([B, H, S, D]);
const [q, k, v] = [heads(2, 6, 400, 40), heads(2, 2, 500, 40), heads(2, 2, 500, 24)];
const packed = [random.tensor([700, 4, 16]), random.tensor([700, 2, 16]), random.tensor([700, 2, 16])] as const;
const starts = [0, 0, 300, 310, 700];
const x = random.tensor([3, 150, 96]);
const [up, down, bias] = [random.tensor([384, 96]), random.tensor([96, 384]), random.tensor([384])];
const projections = {
  query: random.tensor([96, 96]),
  key: random.tensor([96, 96]),
  value: random.tensor([96, 96]),
  output: random.tensor([96, 96]),
};
const map = random.tensor([2, 3, 80, 80]);

/** Large enough to be shared: many heads, many blocks of rows, many rows. */
const large: Record<string, (engine: Attention) => object> = {
  attention: (e) => e.scaledDotProductAttention(q, k, v),
  causal: (e) => e.scaledDotProductAttention(q, k, v, { causal: 'lower-right', logSumExp: true, sinks: bias6 }),
  'with weights': (e) => e.scaledDotProductAttention(q, k, v, { window: [90, 3], weights: true, alibi: true }),
  'with scores': (e) => e.scaledDotProductAttention(q, k, v, { softcap: 3, weights: 'softcapped' }),
  'under a rule': (e) =>
    e.scaledDotProductAttention(q, k, v, {
      mask: masks.bigBird({ blockSize: 64, window: 3, globalBlocks: 1, randomBlocks: 1 }),
    }),
  'a cache': (e) => {
    using cache = e.kvCache({ batch: 2, numKvHeads: 2, headDim: 40, valueDim: 24, capacity: 1000 });
    cache.append(k, v);
    return cache.attend(q, k, v, { weights: true, logSumExp: true });
  },
  'a cache with a window': (e) => {
    using cache = e.kvCache({ batch: 2, numKvHeads: 2, headDim: 40, valueDim: 24, window: 150, dtype: 'int8' });
    cache.append(k, v);
    const { output } = cache.attend(q, k, v);
    return [output, cache.attend(q, null, null).output];
  },
  'one head': (e) => e.scaledDotProductAttention(x, x, x, { numHeads: 1 }),
  'packed sequences': (e) =>
    e.variableLengthAttention(...packed, { cuSeqlensQ: starts, cuSeqlensKv: starts, causal: true, logSumExp: true }),
  'self-attention': (e) => e.selfAttention(x, projections, { numHeads: 6 }),
  'a map': (e) => e.attentionMap(q, k, { size: [64, 50], pool: 'mean' }),
  'linear attention': (e) => e.linearAttention(q, q, q, { causal: true }),
  linear: (e) => e.linear(x, up, bias),
  'feed-forward': (e) => e.feedForward(x, { up, down, upBias: bias }, { activation: 'gelu' }),
  norm: (e) => e.layerNorm(x),
  softmax: (e) => e.softmax(x),
  gelu: (e) => e.gelu(x),
  add: (e) => e.add(x, x),
  rotary: (e) => e.rotaryEmbedding(q),
  rollout: (e) => e.attentionRollout([e.softmax(map), e.softmax(map)]),
};
const bias6 = random.tensor([6]);

/** Every array of a result, as its bits. */
function bits(result: unknown): unknown[] {
  if (typeof result !== 'object' || result === null) return [];
  if ('data' in result) {
    const { data, shape } = result as NdArray;
    return [shape, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')];
  }
  return Object.values(result).flatMap(bits);
}

describe.each(variants)('the bits of %s are those of one thread', (variant) => {
  let one: Attention;
  const shared: Attention[] = [];
  beforeAll(async () => {
    one = await createAttention({ variant });
    for (const threads of [2, 3]) shared.push(await createAttention({ variant: `${variant}-threads`, threads }));
  });
  afterAll(() => {
    for (const engine of [one, ...shared]) engine?.dispose();
  });

  function expectSameBits(call: (engine: Attention) => unknown, times = 1): void {
    const want = bits(call(one));
    for (const engine of shared) {
      for (let n = 0; n < times; n++) {
        if (JSON.stringify(bits(call(engine))) !== JSON.stringify(want))
          throw new Error(`${engine.info.threads} threads`);
      }
    }
  }

  test.each(Object.entries(large))('%s', (_, call) => {
    expect(bits(call(one)).length).toBeGreaterThan(0);
    expectSameBits(call, 5);
  });

  test('the smallest calls', () => {
    for (const [, axes, sized] of functions) {
      for (const size of [2, 4]) {
        const { inputs, run } = sized(...Array<number>(axes).fill(size));
        expectSameBits((engine) => run(engine, inputs.map(tensor)));
      }
    }
  });

  test(`random calls, seed ${seed}`, () => {
    const property = fc.property(recipes, (recipe) => {
      const { inputs, options: said, manner } = callOf(recipe);
      const { rule: _, ...options } = said;
      const { weights = false, logSumExp = false } = manner;
      expectSameBits((engine) =>
        engine.scaledDotProductAttention(...inputs, { ...options, weights, logSumExp } as never),
      );
    });
    fc.assert(property, { seed, numRuns: 400 });
  });
});
