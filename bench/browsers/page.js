// Runs in a browser's page: attention of this package and, where its models are given, of onnxruntime-web.
import { createAttention } from '../../dist/index.js';
import { attentionCall } from '../attention-call.mjs';
import { loadCheckpoint } from '../checkpoint.mjs';
import { attentionOperations, packHeads, randomArray, requireEqual } from '../data.mjs';
import { interleave } from '../statistics.mjs';

/** Operations of one turn at least: some engines' clocks tick once a millisecond. */
const leastWork = 1e9;

/** The variants that this browser takes. */
globalThis.variantsHere = async (names) => {
  const here = [];
  for (const variant of names) {
    const engine = await createAttention({ variant }).catch(({ code }) => code);
    if (engine === 'UNSUPPORTED_ENGINE') continue;
    here.push(variant);
    engine.dispose();
  }
  return here;
};

globalThis.loadCheckpoint = loadCheckpoint;

/** ms of one call by name. `models`: bytes of ONNX files, MultiHeadAttention's over [1, length, heads · size]. */
globalThis.measure = async ({ shape, variants, models, effort }) => {
  const count = shape.heads * shape.length * shape.size;
  const inputs = { query: randomArray(count, 1), key: randomArray(count, 2), value: randomArray(count, 3) };
  const packed = Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, packHeads(data, shape)]));
  const engines = await Promise.all(variants.map((variant) => createAttention({ variant })));
  const runs = Object.fromEntries(variants.map((variant, at) => [variant, attentionCall(engines[at], inputs, shape)]));
  if (models) {
    const { heads, length, size } = shape;
    runs.Attention = await onnxruntime(models.Attention, inputs, [1, heads, length, size]);
    runs.MultiHeadAttention = await onnxruntime(models.MultiHeadAttention, packed, [1, length, heads * size]);
  }
  await checkAll(runs, shape);
  const calls = Math.max(1, Math.round(leastWork / attentionOperations(shape)));
  const repeated = Object.entries(runs).map(([name, run]) => [name, () => repeat(run, calls)]);
  const times = await interleave(Object.fromEntries(repeated), effort);
  for (const engine of engines) engine.dispose();
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, values.map((time) => time / calls)]));
};

async function onnxruntime(model, inputs, dims) {
  const ort = await import('../node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs');
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(Uint8Array.from(model), { executionProviders: ['wasm'] });
  return async () => {
    const feeds = Object.entries(inputs).map(([name, data]) => [name, new ort.Tensor('float32', data, dims)]);
    return (await session.run(Object.fromEntries(feeds))).output.data;
  };
}

async function checkAll(runs, shape) {
  const expected = runs.simd();
  for (const [name, run] of Object.entries(runs)) {
    requireEqual(await run(), name === 'MultiHeadAttention' ? packHeads(expected, shape) : expected, name);
  }
}

async function repeat(run, times) {
  for (let n = 0; n < times; n++) await run();
}

globalThis.isReady = true;
