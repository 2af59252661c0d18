import { tried } from '../tried.js';

/**
 * A module of Node.js, where there is one: asked for at run time, so that bundlers see no import of it. Next.js's edge
 * runtime has the function, and it throws.
 */
export function nodeModule<Module>(name: string): Module | undefined {
  return tried(() => process.getBuiltinModule(name) as Module | undefined);
}

export function nodeThreads(): typeof import('node:worker_threads') | undefined {
  return nodeModule('node:worker_threads');
}
