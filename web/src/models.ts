export { createModel } from './models/create.js';
export { readSafetensors } from './models/safetensors.js';
export type {
  AttentionTap,
  EmbedOptions,
  FileTensor,
  ForwardOptions,
  ForwardResult,
  Model,
  ModelFiles,
  ModelOptions,
  TokenIds,
} from './models/types.js';
