import * as ort from 'onnxruntime-web/wasm';
import { createAttention } from '../dist/index.js';
import { multiHeadAttention, standardAttention } from './onnx.mjs';
import { interleave, median, ratio } from './statistics.mjs';

const heads = 12;
const size = 64;
const variants = ['simd', 'relaxed-simd'];

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

export async function attentionRows({ quick }) {
  const engines = await Promise.all(variants.map((variant) => createAttention({ variant })));
  const rows = [];
  for (const length of quick ? [128, 512] : [128, 512, 1024]) {
    for (const causal of [false, true]) rows.push(...(await measure({ length, causal }, engines, quick ? 7 : 15)));
  }
  for (const engine of engines) engine.dispose();
  return rows;
}

async function measure({ length, causal }, engines, rounds) {
  const shape = { heads, length, size, causal };
  const random = () => randomArray(heads * length * size);
  const inputs = { query: random(), key: random(), value: random() };
  const ours = Object.fromEntries(engines.map((engine) => [engine.info.variant, ourAttention(engine, inputs, shape)]));
  // onnxruntime has two such operators; which one is faster depends on the shape, so the better counts.
  const packed = mapValues(inputs, packHeads);
  const peers = {
    Attention: await peerAttention(standardAttention(shape), inputs, [1, heads, length, size]),
    MultiHeadAttention: await peerAttention(multiHeadAttention(shape), packed, [1, length, heads * size]),
  };
  const expected = await peers.Attention();
  for (const [variant, run] of Object.entries(ours)) requireEqual(run(), expected, variant);
  requireEqual(await peers.MultiHeadAttention(), packHeads(expected), 'MultiHeadAttention');

  const times = await interleave({ ...ours, ...peers }, rounds);
  const [peer] = Object.keys(peers).sort((a, b) => median(times[a]) - median(times[b]));
  return variants.map((variant) => ({
    length,
    mask: causal ? 'causal' : 'full',
    variant,
    'ours ms': round(median(times[variant])),
    'ort ms': round(median(times[peer])),
    'ratio (middle half)': ratio(times[variant], times[peer]),
    'ours GFLOP/s': round(gigaflops(shape) / (median(times[variant]) / 1000)),
    'ort GFLOP/s': round(gigaflops(shape) / (median(times[peer]) / 1000)),
    'ort operator': peer,
  }));
}

function ourAttention(engine, { query, key, value }, { heads, length, size, causal }) {
  const tensor = (data) => ({ data, shape: [1, heads, length, size] });
  return () => engine.scaledDotProductAttention(tensor(query), tensor(key), tensor(value), { causal }).output.data;
}

async function peerAttention(model, inputs, shape) {
  const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
  return async () => {
    const feeds = mapValues(inputs, (data) => new ort.Tensor('float32', data, shape));
    return (await session.run(feeds)).output.data;
  };
}

/** The products of attended pairs: query by key and probability by value, a multiplication and an addition each. */
function gigaflops({ heads, length, size, causal }) {
  const pairs = causal ? (length * (length + 1)) / 2 : length * length;
  return (4 * pairs * heads * size) / 1e9;
}

/** [heads, length, size] → [length, heads · size]. */
function packHeads(data) {
  const length = data.length / heads / size;
  const packed = new Float32Array(data.length);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < length; row++) {
      const start = (head * length + row) * size;
      packed.set(data.subarray(start, start + size), (row * heads + head) * size);
    }
  }
  return packed;
}

function requireEqual(actual, expected, name) {
  const difference = expected.reduce((largest, value, index) => Math.max(largest, Math.abs(actual[index] - value)), 0);
  if (!(difference <= 1e-4)) throw new Error(`${name} differs from onnxruntime-web by ${difference}; 1e-4 is allowed.`);
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
const randomArray = (length) => Float32Array.from({ length }, () => 2 * Math.random() - 1);
const round = (value) => Number(value.toPrecision(3));
