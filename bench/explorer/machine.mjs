import { createAttention } from '../../dist/index.js';
import { quantile } from '../statistics.mjs';

const [heads, length, dims] = [12, 512, 32];

/** How quick the machine is just now: times mean little without it. To be held against docs/performance. */
export async function speed() {
  const attention = await createAttention({ variant: 'simd' });
  const shape = [1, heads, length, dims];
  const data = Float32Array.from({ length: heads * length * dims }, (_, i) => Math.sin(i));
  const [q, out] = [attention.tensor({ data, shape }), attention.zeros(shape)];
  const times = Array.from({ length: 60 }, () => {
    const start = performance.now();
    attention.scaledDotProductAttention(q, q, q, { out });
    return performance.now() - start;
  });
  attention.dispose();
  const billions = (4 * heads * length * length * dims) / quantile(times, 0.5) / 1e6;
  return `attention of ${length} tokens in Node, plain SIMD: ${billions.toFixed(1)} GFLOP/s`;
}
