import { type Attention, createAttention, masks, transformerEncoderLayer } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from './random.ts';
import * as gpt2 from './synthetic-gpt2.ts';

let here: Attention;
let there: AsyncAttention;
beforeAll(async () => {
  [here, there] = await Promise.all([createAttention(), createAttentionWorker({ threads: 1 })]);
});
afterAll(() => {
  here?.dispose();
  there?.dispose();
});

const random = new Random(21);
const cacheConfig = { numKvHeads: 1, headDim: 4, capacity: 8 };
const layerConfig = { embedDim: 4, numHeads: 1 };
const stateDict = {
  in_proj_weight: random.tensor([12, 4]),
  'out_proj.weight': random.tensor([4, 4]),
};
const [square, ones] = [random.tensor([4, 4]), random.tensor([4])];
const encoderLayer = {
  ...Object.fromEntries(Object.entries(stateDict).map(([name, weight]) => [`self_attn.${name}`, weight])),
  ...{ 'linear1.weight': square, 'linear2.weight': square, 'norm1.weight': ones, 'norm2.weight': ones },
};
const files = () => ({ config: gpt2.config, tensors: gpt2.weights() });

/** An object of each public class. */
const makers: Record<string, () => object | Promise<object>> = {
  Attention: () => createAttention(),
  Tensor: () => here.zeros([2]),
  LinearWeight: () => here.linearWeight(random.tensor([4, 4])),
  KvCache: () => here.kvCache(cacheConfig),
  MultiHeadAttention: () => here.multiHeadAttention(layerConfig, stateDict),
  TransformerEncoder: () => transformerEncoderLayer(here, { numHeads: 1 }, encoderLayer),
  Mask: () => masks.causal(),
  Masks: () => masks,
  Model: () => createModel(here, files() as never),
  ModelCache: () => createModel(here, files() as never).createCache(),
  AsyncAttention: () => createAttentionWorker({ threads: 1 }),
  RemoteTensor: () => there.zeros([2]),
  AsyncKvCache: () => there.kvCache(cacheConfig),
  AsyncMultiHeadAttention: () => there.multiHeadAttention(layerConfig, stateDict),
  AsyncTransformerEncoder: () => there.transformerEncoderLayer({ numHeads: 1 }, encoderLayer),
  AsyncModel: () => there.createModel(files() as never),
  AsyncModelCache: async () => ((await there.createModel(files() as never)) as Model).createCache(),
};

type Methods = Record<string, (...args: unknown[]) => unknown>;

function methodsOf(object: object): string[] {
  const names = new Set<string>();
  for (let type = object; type !== Object.prototype; type = Object.getPrototypeOf(type)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
    }
  }
  return [...names].sort((a, b) => Number(a === 'dispose') - Number(b === 'dispose')); // it ends the others
}

/** What a call without arguments comes to: what it is refused for, or the kind of its result. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    return Object.prototype.toString.call(result);
  } catch (error) {
    return String(error);
  }
}

describe('every method works without its object', () => {
  test.each(Object.entries(makers))('of %s', async (_, make) => {
    const [object, other] = (await Promise.all([make(), make()])) as [Methods, Methods];
    const names = methodsOf(object);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const alone = object[name] as () => unknown;
      const [got, wanted] = [await outcome(() => alone()), await outcome(() => other[name]?.())];
      expect([name, got]).toEqual([name, wanted]);
    }
  });

  test('and gives what it gives with it', async () => {
    const x = random.tensor([3, 4]);
    const { scaledDotProductAttention, softmax, tensor } = here;
    const { scaledDotProductAttention: attend } = there;
    const want = here.scaledDotProductAttention(x, x, x).output;
    expect(scaledDotProductAttention(x, x, x).output).toEqual(want);
    expect((await attend(x, x, x)).output).toEqual(want);
    expect(softmax(x)).toEqual(here.softmax(x));
    const { dispose, ...rest } = tensor(x);
    dispose();
    expect(rest).not.toHaveProperty('dispose');
  });
});
