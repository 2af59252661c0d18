import type { Tokenizer } from '@huggingface/tokenizers';
import type { Attention } from 'attention-wasm';
import { createModel, type FileTensor, type ModelFiles, readSafetensors } from 'attention-wasm/models';
import { readIds } from './ids';
import type { Encoded } from './limits';
import { infoOf, type Loaded, unpadded } from './minilm';
import type { ModelInfo } from './protocol';

/** Files of a checkpoint as Hugging Face has them, from the visitor's own disk. */
export interface OwnFiles {
  config: Blob;
  weights: Blob;
  tokenizer: Blob | null;
  /** Linear weights are rounded to 8 bits. */
  rounded: boolean;
}

type Config = ModelFiles['config'];

const families = ['bert', 'distilbert', 'roberta', 'gpt2', 'llama'];

/** The small files first: what is wrong with them need not wait for the weights. */
export async function readOwn(attention: Attention, files: OwnFiles): Promise<Loaded> {
  const config = configOf(await jsonOf('config.json', files.config));
  const tokenizer = files.tokenizer && tokenizerOf(await jsonOf('tokenizer.json', files.tokenizer));
  const tensors = readSafetensors(await files.weights.arrayBuffer());
  const options = files.rounded ? { weights: 'int8' as const } : {};
  const model = createModel(attention, { config, tensors }, options);
  const weights = files.rounded ? 'int8' : weightsOf(tensors);
  return { model, info: infoOf(model, titleOf(config), weights), ...textOf(tokenizer, config) };
}

/** How many ids there are. */
export const vocabularyOf = (config: Config): number => (isCount(config.vocab_size) ? config.vocab_size : 0);

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

async function jsonOf(name: string, file: Blob): Promise<object> {
  const value: unknown = await file
    .text()
    .then(JSON.parse)
    .catch((cause: Error) => {
      throw new Error(`${name} is not JSON: ${cause.message}`);
    });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} holds no object.`);
  return value;
}

function configOf(config: object): Config {
  const { model_type: type } = config as Config;
  if (typeof type !== 'string') throw new Error('config.json names no model_type.');
  if (families.includes(type)) return config as Config;
  throw new Error(`model_type: got '${type}', wanted one that reads text: ${families.join(', ')}.`);
}

function tokenizerOf(description: object): Tokenizer {
  try {
    return unpadded(description);
  } catch (cause) {
    throw new Error(`tokenizer.json could not be used: ${(cause as Error).message}`);
  }
}

function titleOf({ _name_or_path: path, model_type: type }: Config): string {
  const name = typeof path === 'string' ? (path.split('/').filter(Boolean).at(-1) ?? '') : '';
  return name.slice(0, 40) || `own ${type}`;
}

/** What most of the file is stored in; all of it is computed in float32. */
function weightsOf(tensors: Record<string, FileTensor>): ModelInfo['weights'] {
  const largest = Object.values(tensors).reduce((a, b) => (b.data.length > a.data.length ? b : a));
  return largest.dtype === 'float16' ? 'float16' : 'float32';
}

/** With a tokenizer words, else token ids. */
function textOf(tokenizer: Tokenizer | null, config: Config): Pick<Loaded, 'encode' | 'extend' | 'vocabulary'> {
  if (!tokenizer) {
    const vocabulary = vocabularyOf(config);
    return {
      vocabulary,
      encode: (text) => readIds(text, vocabulary),
      extend: (text, _ids, more) => [text.trimEnd(), ...more].filter((part) => part !== '').join(' '),
    };
  }
  // A text that the model wrote is read by the ids it wrote: splitting it anew might give others.
  let written: (Encoded & { text: string }) | null = null;
  const decode = (ids: readonly number[]) =>
    tokenizer.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  return {
    encode: (text) => (text === written?.text ? written : tokenizer.encode(text)),
    extend(text, ids, more) {
      const all = [...ids, ...more];
      const [before, after] = [decode(ids), decode(all)];
      const longer = text + (after.startsWith(before) ? after.slice(before.length) : decode(more));
      written = { text: longer, ids: all, tokens: all.map((id) => tokenizer.id_to_token(id) ?? String(id)) };
      return longer;
    },
  };
}
