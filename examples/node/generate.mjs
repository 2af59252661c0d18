// Continues a prompt with a GPT-2 or Llama from Hugging Face; README.md says how to run it.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Tokenizer } from '@huggingface/tokenizers';
import { createAttention } from 'attention-wasm';
import { createModel, readSafetensors } from 'attention-wasm/models';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tokens: { type: 'string', default: '200' },
    temperature: { type: 'string', default: '0' },
    seed: { type: 'string' },
    int8: { type: 'boolean', default: false },
  },
});
const [folder, prompt] = positionals;
if (!prompt) {
  console.error('node generate.mjs <folder> "prompt" [--tokens 200] [--temperature 0.8] [--seed 1] [--int8]');
  process.exit(2);
}

const json = async (name) => JSON.parse(await readFile(join(folder, name), 'utf8'));
const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json').catch(() => ({})));
const attention = await createAttention({ threads: 'auto' });
const model = createModel(
  attention,
  { config: await json('config.json'), tensors: await readTensors() },
  { weights: values.int8 ? 'int8' : 'float32' },
);

const { ids } = tokenizer.encode(prompt);
const textOf = (all) => tokenizer.decode(all, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
let written = textOf(ids).length;

/** Writes what the new tokens add to the text. */
function write(isLast) {
  const text = textOf(ids);
  // The replacement character ends a text whose last letter has bytes still to come.
  if (!isLast && text.endsWith('\ufffd')) return;
  process.stdout.write(text.slice(written));
  written = text.length;
}

const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
const began = performance.now();
let count = 0;
try {
  await model.generate([...ids], {
    maxNewTokens: Math.min(Number(values.tokens), model.maxLength - ids.length),
    temperature: Number(values.temperature),
    ...(values.seed && { seed: Number(values.seed) }),
    signal: controller.signal,
    onToken: ({ id }) => {
      count++;
      ids.push(id);
      write(false);
    },
  });
} catch (error) {
  if (error.code !== 'ABORTED') throw error;
}
write(true);
const seconds = (performance.now() - began) / 1000;
console.error(`\n${count} tokens in ${seconds.toFixed(1)} s, ${attention.info.threads} threads`);
attention.dispose();

/** The tensors of model.safetensors, or of all its shards. */
async function readTensors() {
  const names = (await readdir(folder)).filter((name) => /^model.*\.safetensors$/.test(name));
  const shards = [];
  for (const name of names) shards.push(readSafetensors(await readFile(join(folder, name))));
  return Object.assign({}, ...shards);
}
