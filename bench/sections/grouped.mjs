// Prefill of a model whose query heads share key and value heads, beside onnxruntime-web.
import { attentionOperations, randomArray, requireEqual } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { standardAttention } from '../peers/attention-graphs.mjs';
import { attention } from '../peers/onnxruntime.mjs';
import { billionsPerSecond, interleave, summary, timesFaster } from '../statistics.mjs';

const heads = 32;
const kvHeads = 8;
const size = 128;

export const grouped = {
  name: 'grouped',
  title: 'Grouped queries, causal: 32 heads over 8 of 128, copies in and out included',
  columns: {
    length: 'tokens',
    who: 'who',
    ms: 'ms',
    gigaflops: 'GFLOP/s',
    faster: 'times faster than onnxruntime-web',
  },
  rows: async ({ effort, quick }) => {
    const rows = [];
    for (const length of quick ? [128] : [512, 2048]) rows.push(...(await measure(length, effort)));
    return rows;
  },
};

function measure(length, effort) {
  const random = (count, seed) => ({ data: randomArray(count * length * size, seed), shape: [1, count, length, size] });
  const [query, key, value] = [random(heads, 1), random(kvHeads, 2), random(kvHeads, 3)];
  return withEngines(async (engines) => {
    const ours = variants.map((variant) => [
      variant,
      () => engines[variant].scaledDotProductAttention(query, key, value, { causal: true }).output.data,
    ]);
    const graph = standardAttention({ heads, kvHeads, length, size, causal: true });
    const peer = await attention(graph, { query: query.data, key: key.data, value: value.data });
    const runs = { ...Object.fromEntries(ours), 'onnxruntime-web': peer };
    const expected = await peer();
    for (const [variant, run] of ours) requireEqual(run(), expected, variant);
    const times = await interleave(runs, effort);
    return Object.keys(runs).map((who) => ({
      length,
      who,
      ms: summary(times[who]),
      gigaflops: billionsPerSecond(attentionOperations({ heads, length, size, causal: true }), times[who]),
      faster: timesFaster(times[who], times['onnxruntime-web']),
    }));
  });
}
