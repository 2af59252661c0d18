import { checkKeys, oneOf } from '../arguments.js';
import { engineOf } from '../attention.js';
import { invalid } from '../errors.js';
import type { Attention } from '../types.js';
import { bert, distilbert } from './bert.js';
import { Config } from './config.js';
import { gpt2 } from './gpt2.js';
import { llama } from './llama.js';
import { marian } from './marian.js';
import { modelOf } from './model.js';
import type { Checkpoint } from './parts.js';
import type { Model, ModelFiles } from './types.js';
import { vit } from './vit.js';
import { Weights } from './weights.js';

/** Each family reads its config, and then a checkpoint's weights. `prefix`: what their names may begin with. */
interface Family {
  prefix: string;
  read: (config: Config, attention: Attention) => (weights: Weights) => Checkpoint;
}

const families: Record<Model['type'], Family> = {
  bert: { prefix: 'bert.', read: (config) => bert(config, 'bert') },
  distilbert: { prefix: 'distilbert.', read: distilbert },
  roberta: { prefix: 'roberta.', read: (config) => bert(config, 'roberta') },
  gpt2: { prefix: 'transformer.', read: gpt2 },
  llama: { prefix: 'model.', read: llama },
  vit: { prefix: 'vit.', read: vit },
  marian: { prefix: 'model.', read: marian },
};

/**
 * A model from a Hugging Face checkpoint. Copies the weights into the engine's memory: `files` may be dropped
 * afterwards. Several shards: spread what readSafetensors() gives of each. Linear weights are kept in float32, or as
 * int8 with a factor for each output (|error| ≤ max|w|/254), which takes a quarter of the memory; tables of positions
 * and types in the file's own type.
 *
 * @param options weights: 'float32' by default.
 * @throws AttentionError INVALID_ARGUMENT naming what is missing or not built, SHAPE_MISMATCH naming the tensor,
 * CORRUPT_FILE, UNSUPPORTED_DTYPE, OUT_OF_MEMORY, DISPOSED. Nothing stays in memory then.
 */
export function createModel(
  attention: Attention,
  files: ModelFiles,
  options?: { weights?: 'float32' | 'int8' },
): Model {
  const { model, fill } = prepareModel(attention, files, options);
  try {
    for (const _ of fill);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** A model whose weights have no values before `fill` has come to its end. */
export function prepareModel(
  attention: Attention,
  files: ModelFiles,
  options?: { weights?: 'float32' | 'int8' },
): { model: Model; fill: Generator<[done: number, total: number]> } {
  engineOf(attention); // Refused by its name where it is none.
  const { weights: kind } = checkKeys('options', options, ['weights']);
  const dtype = oneOf('options.weights', kind ?? 'float32', ['float32', 'int8'] as const);
  if (files === null || typeof files !== 'object') throw invalid('files', files, 'config and tensors');
  const config = new Config(files.config);
  const type = oneOf('files.config.model_type', files.config.model_type, Object.keys(families) as Model['type'][]);
  const { prefix, read } = families[type];
  const load = read(config, attention);
  config.refuseUnread();
  const weights = new Weights(attention, files.tensors, prefix, dtype);
  try {
    return { model: modelOf(attention, load(weights), weights), fill: weights.fill() };
  } catch (error) {
    weights.dispose();
    throw error;
  }
}
