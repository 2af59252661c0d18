// A user's first calls, with what the tests need to judge them.
import { createAttention } from 'attention-wasm';
import { readSafetensors } from 'attention-wasm/models';
import { encoderLayer, encoderShape, encoderWeights } from './encoder.js';
import { causalAttention, largestDifference, randomArray } from './oracle.js';

const shape = { heads: 2, length: 9, size: 12 };

export async function use(options) {
  const attention = await createAttention(options);
  try {
    return useEngine(attention);
  } finally {
    attention.dispose();
  }
}

/** One attention, and a layer of an encoder as large as MiniLM's. */
export function useEngine(attention) {
  const [query, key, value] = [1, 2, 3].map((seed) => randomArray(shape.heads * shape.length * shape.size, seed));
  const tensor = (data) => ({ data, shape: [shape.heads, shape.length, shape.size] });
  const { output } = attention.scaledDotProductAttention(tensor(query), tensor(key), tensor(value), { causal: true });
  const { variant, threads } = attention.info;
  return {
    variant,
    threads,
    shape: output.shape,
    difference: largestDifference(output.data, causalAttention({ query, key, value }, shape).output),
    encoder: encoderDifference(attention),
    tensors: Object.keys(readSafetensors(oneTensor())),
  };
}

function encoderDifference(attention) {
  const { length, size, heads } = encoderShape;
  const w = encoderWeights();
  const x = { data: randomArray(length * size, 4), shape: [length, size] };
  const layer = attention.multiHeadAttention({ embedDim: size, numHeads: heads }, w.attention);
  const attended = attention.add(x, layer.forward(x).output);
  const normed = attention.layerNorm(attended, w.norm1.weight, w.norm1.bias);
  const fed = attention.feedForward(normed, w.feedForward, { activation: 'gelu' });
  const output = attention.layerNorm(attention.add(normed, fed), w.norm2.weight, w.norm2.bias);
  layer.dispose();
  return largestDifference(output.data, encoderLayer(x.data, w));
}

function oneTensor() {
  const header = new TextEncoder().encode('{"answer":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const bytes = new Uint8Array(8 + header.length + 4);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}
