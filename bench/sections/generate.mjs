// Tokens a second of whole decoders, by their weights and by what their caches keep.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createModel } from '../../dist/models.js';
import { randomArray } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { interleave, summary } from '../statistics.mjs';

const stories = join(import.meta.dirname, '../../../shared/models/stories260k');
const prompt = [1, 403, 407, 261, 378];

export const generate = {
  name: 'generate',
  title: 'Generating, one sequence, one thread',
  columns: {
    checkpoint: 'checkpoint',
    variant: 'variant',
    weights: 'weights',
    cache: 'cache of',
    megabytes: 'MB of weights',
    tokens: 'tokens',
    perSecond: 'tokens a second',
  },
  rows: async ({ effort, quick }) => {
    const small = { ...(await storiesFiles()), tokens: quick ? 50 : 200 };
    if (quick) return measure(small, effort);
    const large = { ...randomLlama('Llama, 28 M', largeSizes), tokens: 16 };
    return [...(await measure(small, effort)), ...(await measure(large, effort))];
  },
};

function measure({ checkpoint, config, tensors, tokens }, effort) {
  return withEngines(async (engines) => {
    const kinds = variants.flatMap((variant) =>
      ['float32', 'int8'].flatMap((weights) => {
        const model = createModel(engines[variant], { config, tensors }, { weights });
        return ['float32', 'int8'].map((dtype) => ({
          variant,
          weights,
          dtype,
          model,
          run: runOf(model, dtype, tokens),
        }));
      }),
    );
    const times = await interleave(Object.fromEntries(kinds.map(({ run }, at) => [at, run])), effort);
    return kinds.map(({ variant, weights, dtype, model }, at) => ({
      checkpoint,
      variant,
      weights,
      cache: dtype,
      megabytes: model.byteLength / 1e6,
      tokens,
      perSecond: summary(times[at].map((time) => (tokens / time) * 1000)),
    }));
  });
}

function runOf(model, dtype, maxNewTokens) {
  const cache = model.createCache({ dtype });
  return async () => {
    await model.generate(prompt, { maxNewTokens, stop: [], cache });
    cache.clear();
  };
}

/** The checkpoint where it lies beside the repository, else random numbers of its sizes. */
async function storiesFiles() {
  if (!existsSync(stories)) return randomLlama('Llama of the sizes of stories260k', storiesSizes);
  const config = JSON.parse(await readFile(join(stories, 'config.json'), 'utf8'));
  return { checkpoint: 'stories260k', config, tensors: await readFile(join(stories, 'model.safetensors')) };
}

const storiesSizes = { size: 64, hidden: 172, layers: 5, heads: 8, kvHeads: 4, vocabulary: 512 };
const largeSizes = { size: 512, hidden: 2048, layers: 6, heads: 8, kvHeads: 4, vocabulary: 8192 };

function randomLlama(checkpoint, { size, hidden, layers, heads, kvHeads, vocabulary }) {
  const tensor = (...shape) => {
    const width = shape.at(-1);
    return { data: randomArray(shape[0] * (shape[1] ?? 1)).map((value) => value / Math.sqrt(width)), shape };
  };
  const tensors = { 'embed_tokens.weight': tensor(vocabulary, size), 'norm.weight': tensor(size) };
  for (let layer = 0; layer < layers; layer++) {
    const at = `layers.${layer}`;
    for (const name of ['input_layernorm', 'post_attention_layernorm']) tensors[`${at}.${name}.weight`] = tensor(size);
    for (const name of ['q', 'o']) tensors[`${at}.self_attn.${name}_proj.weight`] = tensor(size, size);
    for (const name of ['k', 'v']) {
      tensors[`${at}.self_attn.${name}_proj.weight`] = tensor((size / heads) * kvHeads, size);
    }
    for (const name of ['up', 'gate']) tensors[`${at}.mlp.${name}_proj.weight`] = tensor(hidden, size);
    tensors[`${at}.mlp.down_proj.weight`] = tensor(size, hidden);
  }
  const config = {
    model_type: 'llama',
    hidden_size: size,
    intermediate_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    vocab_size: vocabulary,
    max_position_embeddings: 512,
    tie_word_embeddings: true,
  };
  return { checkpoint, config, tensors };
}
