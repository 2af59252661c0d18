/** @module attention-wasm */
export { AttentionError } from './errors.js';
export { createAttention } from './load/create.js';
export { masks } from './masks/index.js';
export type * from './types.js';
