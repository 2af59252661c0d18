// The least that uses the package.
import { createAttention } from 'attention-wasm';

const attention = await createAttention();
const x = { data: Float32Array.of(1, 0, 0, 2, 2, 1), shape: [3, 2] };
const { output } = attention.scaledDotProductAttention(x, x, x, { causal: true });
globalThis.result = { firstRow: [...output.data.slice(0, 2)] };
