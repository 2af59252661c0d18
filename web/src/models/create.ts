import { checkKeys, oneOf } from '../arguments.js';
import { invalid } from '../errors.js';
import type { Attention } from '../types.js';
import { readConfig } from './checkpoints.js';
import { createEncoder } from './encoder.js';
import type { Model, ModelFiles } from './types.js';
import { Weights } from './weights.js';

/**
 * A model from a Hugging Face checkpoint. Copies the weights into the engine's memory: `files` may be dropped
 * afterwards. Weights are kept in float32, embedding tables in the file's own type.
 *
 * @throws AttentionError INVALID_ARGUMENT naming what is missing or not built, SHAPE_MISMATCH naming the tensor,
 * CORRUPT_FILE, UNSUPPORTED_DTYPE, OUT_OF_MEMORY.
 */
export function createModel(attention: Attention, files: ModelFiles, options?: { weights?: 'float32' }): Model {
  const { weights: kind } = checkKeys('options', options, ['weights']);
  oneOf('options.weights', kind ?? 'float32', ['float32'], ['int8']);
  if (files === null || typeof files !== 'object') throw invalid('files', files, 'config and tensors');
  const checkpoint = readConfig(files.config);
  const weights = new Weights(attention, files.tensors, checkpoint.prefix);
  try {
    return createEncoder(attention, checkpoint, weights);
  } catch (error) {
    weights.dispose();
    throw error;
  }
}
