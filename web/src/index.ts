/** @module attention-wasm */
export { AttentionError } from './errors.js';
export { createAttention } from './load/create.js';
export { masks } from './masks/index.js';
export { at, fromNested, row, toArray } from './nested.js';
export {
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from './transformers.js';
export type * from './types.js';
