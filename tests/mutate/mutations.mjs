import { inCaches } from './mutations/caches.mjs';
import { inTheCore } from './mutations/core.mjs';
import { inModels } from './mutations/models.mjs';
import { inTheWrapper } from './mutations/wrapper.mjs';

/**
 * Ways to break the option handling, each a mistake that was or could well be made. `find` is in `file` exactly once;
 * `tests` are those that should notice: tags of Catch2 where `by` is 'cpp', files of Vitest where it is 'node'.
 */
export const mutations = [...inCaches(), ...inTheCore(), ...inTheWrapper(), ...inModels()];
