export { AttentionError } from './errors.js';
export { createAttention } from './load/create.js';
export type * from './types.js';
