/** @module attention-wasm/models */
export { createModel } from './models/create.js';
export { readSafetensors } from './models/safetensors.js';
export type {
  AttentionTap,
  CacheOptions,
  CreateModelOptions,
  EmbedOptions,
  FileTensor,
  ForwardOptions,
  ForwardResult,
  GenerateOptions,
  ImagePixels,
  LayerProjections,
  Model,
  ModelCache,
  ModelFiles,
  ModelOptions,
  TokenIds,
} from './models/types.js';
