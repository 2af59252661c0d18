/** @module attention-wasm/models */
export { createModel } from './models/create.js';
export { readSafetensors } from './models/safetensors.js';
export type {
  AttentionTap,
  CacheOptions,
  EmbedOptions,
  FileTensor,
  ForwardOptions,
  ForwardResult,
  GenerateOptions,
  LayerProjections,
  Model,
  ModelCache,
  ModelFiles,
  ModelOptions,
  TokenIds,
} from './models/types.js';
