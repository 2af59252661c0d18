// The engine in a worker, of as many threads as the address says. Bundlers know the worker by the package's literal
// address; others set `workerAddress`.
import { createAttentionWorker } from 'attention-wasm/worker';
import { causalAttention, largestDifference, randomArray } from './oracle.js';

globalThis.trustedTypes?.createPolicy('default', { createScriptURL: (url) => url });
const { workerAddress } = globalThis;
const worker = workerAddress && (() => new Worker(workerAddress, { type: 'module' }));
const threads = Number(new URLSearchParams(location.search).get('threads') ?? 1);
const shape = { heads: 2, length: 9, size: 12 };

async function use() {
  const attention = await createAttentionWorker({ ...(worker && { worker }), threads });
  const [query, key, value] = [1, 2, 3].map((seed) => randomArray(shape.heads * shape.length * shape.size, seed));
  const tensor = (data) => ({ data, shape: [shape.heads, shape.length, shape.size] });
  const { output } = await attention.scaledDotProductAttention(tensor(query), tensor(key), tensor(value), {
    causal: true,
  });
  const { variant } = attention.info;
  attention.dispose();
  return { variant, difference: largestDifference(output.data, causalAttention({ query, key, value }, shape).output) };
}

use().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error), cause: String(error.cause) };
  },
);
