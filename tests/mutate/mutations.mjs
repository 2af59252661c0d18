import { inCaches } from './mutations/caches.mjs';
import { inTheCore } from './mutations/core.mjs';
import { inModels } from './mutations/models.mjs';
import { inThePlanner } from './mutations/planner.mjs';
import { inTheWrapper } from './mutations/wrapper.mjs';

/**
 * Ways to break options, masks, caches and models, each a mistake that was or could well be made. `find` is in `file` exactly once;
 * `tests` are those that should notice: tags of Catch2 where `by` is 'cpp', files of Vitest where it is 'node'.
 */
export const mutations = [...inCaches(), ...inTheCore(), ...inThePlanner(), ...inTheWrapper(), ...inModels()];
