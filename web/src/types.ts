/**
 * The types of the package's main entry.
 *
 * Letters used everywhere: B batch · H query heads · Hkv key/value heads · Sq query length · Skv key length ·
 * D query/key head size · Dv value head size · E embedding size · V vocabulary.
 */
export type * from './types/attention.js';
export type * from './types/errors.js';
export type * from './types/functions.js';
export type * from './types/kv-cache.js';
export type * from './types/load.js';
export type * from './types/masks.js';
export type * from './types/nested.js';
export type * from './types/rules.js';
export type * from './types/tensors.js';
export type * from './types/transformer.js';
export type * from './types/weights.js';
