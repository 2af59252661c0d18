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
import type { CreateModelOptions, Model, ModelFiles } from './types.js';
import { vit } from './vit.js';
import { Weights } from './weights.js';
import { checkFiles } from './wrong-files.js';

/** A family reads its config, and then a checkpoint's weights. */
interface Family {
  /** What names of tensors may begin with. */
  prefix: string;
  /** What Hugging Face's classes of it begin with. */
  classes: string;
  read: (config: Config, attention: Attention) => (weights: Weights) => Checkpoint;
}

const families: Record<Model['type'], Family> = {
  bert: { prefix: 'bert.', classes: 'Bert', read: (config) => bert(config, 'bert') },
  distilbert: { prefix: 'distilbert.', classes: 'DistilBert', read: distilbert },
  roberta: { prefix: 'roberta.', classes: 'Roberta', read: (config) => bert(config, 'roberta') },
  gpt2: { prefix: 'transformer.', classes: 'GPT2', read: gpt2 },
  llama: { prefix: 'model.', classes: 'Llama', read: llama },
  vit: { prefix: 'vit.', classes: 'ViT', read: vit },
  marian: { prefix: 'model.', classes: 'Marian', read: marian },
};
const types = Object.keys(families) as Model['type'][];

/**
 * A model from a Hugging Face checkpoint. The weights are copied into the engine's memory: `files` may be dropped
 * afterwards, and the model keeps nothing of them. Several shards: spread what readSafetensors() gives of each. Linear
 * weights are kept in float32, or as int8 with a factor for each output (|error| ≤ max|w|/254), which takes a quarter of
 * the memory; tables of positions and types in the file's own type.
 *
 * @throws AttentionError INVALID_ARGUMENT naming what is missing or not built, SHAPE_MISMATCH naming the tensor,
 * CORRUPT_FILE, UNSUPPORTED_DTYPE, OUT_OF_MEMORY, DISPOSED. Nothing stays in memory then.
 */
export function createModel(attention: Attention, files: ModelFiles, options?: CreateModelOptions): Model {
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
  options?: CreateModelOptions,
): { model: Model; fill: Generator<[done: number, total: number]> } {
  engineOf(attention); // Refused by its name where it is none.
  const { weights: kind, ignore } = checkKeys('options', options, ['weights', 'ignore']);
  const dtype = oneOf('options.weights', kind ?? 'float32', ['float32', 'int8'] as const);
  const ignored = ignore ?? [];
  if (!Array.isArray(ignored)) throw invalid('options.ignore', ignored, 'an array of keys');
  checkFiles(files);
  const config = new Config(files.config, ignored);
  const type = typeOf(files.config);
  const { prefix, read } = families[type];
  const load = read(config, attention);
  config.refuseUnread(type);
  const weights = new Weights(attention, files.tensors, prefix, dtype);
  try {
    const checkpoint = load(weights);
    weights.refuseUnread(type);
    return { model: modelOf(attention, checkpoint, weights), fill: weights.fill() };
  } catch (error) {
    weights.dispose();
    throw error;
  }
}

/** The family by its name or, if the config has none, by the class that the checkpoint was saved from. */
function typeOf({ model_type: type, architectures }: ModelFiles['config']): Model['type'] {
  const saved: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  if ((type ?? undefined) !== undefined || typeof saved !== 'string')
    return oneOf('files.config.model_type', type, types);
  const isOf = ({ classes }: Family) =>
    new RegExp(`^${classes}(Model|MTModel|LMHeadModel|DoubleHeadsModel|For[A-Z].*)$`).test(saved);
  const found = types.find((one) => isOf(families[one]));
  if (found) return found;
  throw invalid('files.config.architectures', saved, `a class of ${types.join(', ')}, or a model_type`);
}
