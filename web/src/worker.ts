/** @module attention-wasm/worker */
export { AttentionError } from './errors.js';
export { createAttentionWorker } from './worker/start.js';
export type * from './worker/types.js';
