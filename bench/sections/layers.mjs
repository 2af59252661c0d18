// Layers of a small model with resident tensors, 128 tokens of 384.
import { randomArray } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { loadRoofline } from '../roofline/roofline.mjs';
import { billionsPerSecond, interleave, summary } from '../statistics.mjs';

const tokens = 128;
const width = 384;
const inner = 1536;

export const layers = {
  name: 'layers',
  title: 'Layers of all-MiniLM-L6-v2 on 128 tokens, resident tensors, packed weights',
  columns: {
    layer: 'layer',
    variant: 'variant',
    microseconds: 'µs',
    gigaflops: 'GFLOP/s',
    share: 'of the tile',
    nanoseconds: 'ns a value',
  },
  rows: ({ effort }) =>
    withEngines(async (engines) => {
      const rows = [];
      for (const variant of variants) rows.push(...(await measure(engines[variant], variant, effort)));
      return rows;
    }),
};

async function measure(engine, variant, effort) {
  const { multiply } = await loadRoofline(variant);
  const work = 2 * tokens * width * inner;
  const calls = callsOf(engine);
  const times = await interleave(
    { ...Object.fromEntries(calls.map(({ layer, run }) => [layer, run])), tile: () => multiply(work) },
    effort,
  );
  return calls.map(({ layer, products, values }) => {
    const microseconds = summary(times[layer].map((time) => 1000 * time));
    if (!products)
      return { layer, variant, microseconds, nanoseconds: summary(times[layer].map((time) => (1e6 * time) / values)) };
    const share = summary(times[layer].map((time, round) => (products * times.tile[round]) / time));
    return { layer, variant, microseconds, gigaflops: billionsPerSecond(products * work, times[layer]), share };
  });
}

/** `products`: how many of the matrix product 384 → 1536 a layer has; `values`: how many it works on one by one. */
function callsOf(engine) {
  const tensor = (...shape) => engine.tensor({ data: randomArray(shape.reduce((a, b) => a * b)), shape });
  const [x, wide] = [tensor(tokens, width), tensor(tokens, inner)];
  const plain = tensor(inner, width);
  const [up, down] = [plain, tensor(width, inner)].map((weight) => engine.linearWeight(weight));
  const [upBias, downBias, weight, bias] = [tensor(inner), tensor(width), tensor(width), tensor(width)];
  const [out, wideOut] = [engine.zeros([tokens, width]), engine.zeros([tokens, inner])];
  const feedForward = { up, down, upBias, downBias };
  return [
    { layer: 'linear 384 → 1536', products: 1, run: () => engine.linear(x, up, upBias, { out: wideOut }) },
    { layer: 'the same, weight not packed', products: 1, run: () => engine.linear(x, plain, upBias, { out: wideOut }) },
    { layer: 'linear 1536 → 384', products: 1, run: () => engine.linear(wide, down, downBias, { out }) },
    {
      layer: 'feedForward, GELU',
      products: 2,
      run: () => engine.feedForward(x, feedForward, { activation: 'gelu', out }),
    },
    { layer: 'layerNorm', values: tokens * width, run: () => engine.layerNorm(x, weight, bias, { out }) },
    { layer: 'gelu', values: tokens * inner, run: () => engine.gelu(wide, { out: wideOut }) },
  ];
}
