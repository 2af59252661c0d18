// A user's first call, with what the tests need to judge it.
import { createAttention } from 'attention-wasm';
import { readSafetensors } from 'attention-wasm/models';
import { causalAttention, largestDifference, randomArray } from './oracle.js';

const shape = { heads: 2, length: 9, size: 12 };

export async function use(options) {
  const [query, key, value] = [1, 2, 3].map((seed) => randomArray(shape.heads * shape.length * shape.size, seed));
  const tensor = (data) => ({ data, shape: [shape.heads, shape.length, shape.size] });
  const attention = await createAttention(options);
  const { output } = attention.scaledDotProductAttention(tensor(query), tensor(key), tensor(value), { causal: true });
  const { variant, threads } = attention.info;
  attention.dispose();
  return {
    variant,
    threads,
    shape: output.shape,
    difference: largestDifference(output.data, causalAttention({ query, key, value }, shape).output),
    tensors: Object.keys(readSafetensors(oneTensor())),
  };
}

function oneTensor() {
  const header = new TextEncoder().encode('{"answer":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const bytes = new Uint8Array(8 + header.length + 4);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}
