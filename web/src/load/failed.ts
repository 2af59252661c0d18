import { AttentionError, messageOf } from '../errors.js';

/** LOAD_FAILED, of what and why. `advice`: what else would work. */
export function loadFailed(what: string, cause: unknown, advice?: string): AttentionError {
  const message = `${what}: ${messageOf(cause)}${advice === undefined ? '' : `; ${advice}`}`;
  return new AttentionError('LOAD_FAILED', undefined, message, { cause });
}
