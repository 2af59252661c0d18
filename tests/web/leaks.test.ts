import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  type Attention,
  createAttention,
  masks,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decoders } from './families.ts';
import { Random } from './random.ts';

/** Ten thousand calls of everything: WebAssembly memory does not grow by a byte. */
const times = 10_000;
const random = new Random(12);
const f32 = (...shape: number[]) => random.tensor(shape);
const [q, k, v] = [f32(2, 6, 8), f32(2, 7, 8), f32(2, 7, 5)];
const [x, weight, bias, table] = [f32(4, 16), f32(16, 16), f32(16), f32(10, 16)];
const projections = { query: weight, key: weight, value: weight, output: weight };
const half = { data: Uint16Array.from({ length: 64 }, (_, i) => i * 300), shape: [4, 16], dtype: 'float16' } as const;
const using = <T extends { dispose(): void }>(one: T, use: (one: T) => unknown = () => {}) => {
  use(one);
  one.dispose();
};
const sizes = { numKvHeads: 2, headDim: 8, capacity: 64 };
const config = { embedDim: 16, numHeads: 2 };
const stateDict = { in_proj_weight: f32(48, 16), 'out_proj.weight': weight };
const heads = { numHeads: 2, normFirst: true };
const under = (prefix: string, weights: object) =>
  Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [prefix + name, tensor]));
const encoder = {
  ...under('self_attn.', stateDict),
  ...{ 'linear1.weight': weight, 'linear2.weight': weight, 'norm1.weight': bias, 'norm2.weight': bias },
};
const decoder = { ...encoder, ...under('multihead_attn.', stateDict), 'norm3.weight': bias };
const stack = (layer: object) => ({ ...under('layers.0.', layer), 'norm.weight': bias });

const calls: Record<string, (e: Attention) => unknown> = {
  scaledDotProductAttention: (e) => e.scaledDotProductAttention(q, k, v, { weights: true, logSumExp: true }),
  'scaledDotProductAttention under a rule': (e) => e.scaledDotProductAttention(q, k, v, { mask: masks.causal() }),
  'scaledDotProductAttention of stored keys': (e) => e.scaledDotProductAttention(x, half, half),
  'scaledDotProductAttention refused': (e) => expect(() => e.scaledDotProductAttention(q, v, v)).toThrow(),
  variableLengthAttention: (e) => e.variableLengthAttention(q, q, q, { cuSeqlensQ: [0, 1, 2], cuSeqlensKv: [0, 1, 2] }),
  selfAttention: (e) => e.selfAttention(x, projections, { numHeads: 2 }),
  crossAttention: (e) => e.crossAttention(x, x, projections),
  linearAttention: (e) => e.linearAttention(q, k, v),
  attentionMap: (e) => e.attentionMap(q, k, { size: [3, 3] }),
  attentionRollout: (e) => e.attentionRollout([f32(2, 4, 4), f32(2, 4, 4)]),
  linear: (e) => e.linear(x, weight, bias),
  linearWeight: (e) => using(e.linearWeight(weight), (packed) => e.linear(x, packed)),
  layerNorm: (e) => e.layerNorm(x, bias, bias),
  rmsNorm: (e) => e.rmsNorm(x, bias),
  softmax: (e) => e.softmax(x),
  gelu: (e) => e.gelu(x),
  silu: (e) => e.silu(x),
  relu: (e) => e.relu(x),
  tanh: (e) => e.tanh(x),
  add: (e) => e.add(x, bias),
  multiply: (e) => e.multiply(x, bias),
  sigmoid: (e) => e.sigmoid(x),
  softplus: (e) => e.softplus(x),
  l2Normalize: (e) => e.l2Normalize(x),
  cosineSimilarity: (e) => e.cosineSimilarity(x, bias),
  concat: (e) => e.concat([x, x], { axis: 0 }),
  slice: (e) => e.slice(x, { axis: 0, start: 1 }),
  argmax: (e) => e.argmax(half),
  topK: (e) => e.topK(x, 2),
  scope: (e) => e.scope((a) => a.add(a.silu(x), a.linear(x, weight))),
  feedForward: (e) => e.feedForward(x, { up: weight, down: weight }),
  embedding: (e) => e.embedding([1, 2, 3], table),
  sinusoidalPositions: (e) => e.sinusoidalPositions(4, 8),
  rotaryEmbedding: (e) => e.rotaryEmbedding(q),
  alibiSlopes: (e) => e.alibiSlopes(8),
  tensor: (e) => using(e.tensor(x), (tensor) => e.softmax(tensor, { out: tensor as never })),
  'tensor widened': (e) => using(e.tensor(half, 'float32')),
  zeros: (e) => using(e.zeros([100, 10])),
  kvCache: (e) =>
    using(e.kvCache(sizes), (cache) => {
      cache.append(f32(1, 2, 3, 8), f32(1, 2, 3, 8));
      using(cache.fork(), (fork) => fork.attend(f32(1, 4, 1, 8), f32(1, 2, 1, 8), f32(1, 2, 1, 8)));
      cache.load(cache.toBytes());
      cache.truncate(1);
    }),
  multiHeadAttention: (e) => using(e.multiHeadAttention(config, stateDict), (layer) => layer.forward(x)),
  transformerEncoderLayer: (e) => using(transformerEncoderLayer(e, heads, encoder), (layer) => layer.forward(x)),
  transformerDecoderLayer: (e) => using(transformerDecoderLayer(e, heads, decoder), (layer) => layer.forward(x, x)),
  transformerEncoder: (e) => using(transformerEncoder(e, heads, stack(encoder)), (layer) => layer.forward(x)),
  transformerDecoder: (e) => using(transformerDecoder(e, heads, stack(decoder)), (layer) => layer.forward(x, x)),
};

describe('memory after ten thousand calls is that after a few', () => {
  let engine: Attention;
  beforeAll(async () => {
    engine = await createAttention();
  });
  afterAll(() => engine?.dispose());

  test('every function is among them', () => {
    const classes = [];
    for (let of = Object.getPrototypeOf(engine); of !== Object.prototype; of = Object.getPrototypeOf(of))
      classes.push(of);
    const functions = classes
      .flatMap((of) => Object.getOwnPropertyNames(of))
      .filter((name) => !['constructor', 'info', 'dispose', 'layer'].includes(name));
    expect(functions.filter((name) => !(name in calls))).toEqual([]);
  });

  test.each(Object.entries(calls))('%s', (_, call) => {
    for (let n = 0; n < 200; n++) call(engine);
    const settled = engine.info.memoryBytes;
    for (let n = 0; n < times; n++) call(engine);
    expect(engine.info.memoryBytes - settled).toBe(0);
  });

  test('a model made and read with', async () => {
    const [{ config, tensors }] = decoders as [(typeof decoders)[0]];
    const once = async () => {
      const model = createModel(engine, { config, tensors });
      const cache = model.createCache();
      await model.forward([1, 2], { cache });
      cache.dispose();
      model.dispose();
    };
    for (let n = 0; n < 20; n++) await once();
    const settled = engine.info.memoryBytes;
    for (let n = 0; n < 200; n++) await once();
    expect(engine.info.memoryBytes - settled).toBe(0);
  });
});

test('what is dropped without dispose() comes back by the collector, and that is said once', () => {
  const script = `
    import { createAttention } from 'attention-wasm';
    const engine = await createAttention();
    const warned = [];
    console.warn = (text) => warned.push(text);
    const x = { data: new Float32Array(16384), shape: [128, 128] };
    const makers = {
      tensor: () => engine.tensor(x),
      zeros: () => engine.zeros([128, 128]),
      linearWeight: () => engine.linearWeight(x),
      kvCache: () => engine.kvCache({ numKvHeads: 2, headDim: 64, capacity: 64 }).append(
        { data: new Float32Array(128), shape: [1, 2, 1, 64] }, { data: new Float32Array(128), shape: [1, 2, 1, 64] }),
      multiHeadAttention: () => engine.multiHeadAttention({ embedDim: 128, numHeads: 2 }, {
        in_proj_weight: { data: new Float32Array(3 * 16384), shape: [384, 128] }, 'out_proj.weight': x }),
    };
    const grown = {};
    for (const [name, make] of Object.entries(makers)) {
      const drop = async () => {
        for (let n = 0; n < 100; n++) make();
        gc();
        await new Promise((done) => setTimeout(done, 1));
      };
      for (let n = 0; n < 5; n++) await drop();
      const settled = engine.info.memoryBytes;
      for (let n = 0; n < 100; n++) await drop();
      grown[name] = engine.info.memoryBytes - settled;
    }
    console.log(JSON.stringify({ grown, warned }));
  `;
  const args = ['--expose-gc', '--input-type=module', '--eval', script];
  const printed = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  const { grown, warned } = JSON.parse(printed) as { grown: Record<string, number>; warned: string[] };
  // 10,000 of them would take 640 MB and more. A batch may be waiting while the next is made.
  for (const bytes of Object.values(grown)) expect(bytes).toBeLessThanOrEqual(100 * 2 ** 18);
  expect(Object.keys(grown)).toHaveLength(5);
  expect(warned).toHaveLength(1);
  expect(warned[0]).toContain('dispose()');
});
