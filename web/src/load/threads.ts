import { integer, oneOf } from '../arguments.js';
import { AttentionError, invalid, refused } from '../errors.js';
import { tried } from '../tried.js';
import type { LoadOptions, Variant } from '../types.js';
import { nodeModule, nodeThreads } from './node.js';

/** kMostThreads of cpp/src/runtime/threads.hpp. */
const mostThreads = 64;

/** How many threads an engine is to have; where 'auto' got only one, why. */
export interface Threads {
  readonly count: number;
  readonly reason?: string;
  /** Of 'auto': one thread will do where several cannot be had. */
  readonly mayBeOne: boolean;
}

/**
 * What `threads` asks of this place. A variant with threads has 'auto' as its default, and needs two at least.
 * @param room How many threads the memory limit has room for.
 */
export function wantedThreads(asked: LoadOptions['threads'], variant: 'auto' | Variant, room: number): Threads {
  const named = variant === 'auto' ? undefined : variant;
  const needed = named?.endsWith('-threads') === true;
  const count = asked === undefined && needed ? 'auto' : (asked ?? 1);
  if (typeof count === 'string') {
    oneOf('options.threads', count, ['auto']);
    const { reason, most } = needed || !named ? here(room) : { reason: `variant '${named}' has one thread`, most: 1 };
    if (needed && most < 2) throw unavailable(`variant '${named}'`, reason);
    return { count: most, reason, mayBeOne: !needed };
  }
  if (typeof count !== 'number') throw invalid('options.threads', count, `'auto', or a count from 1 to ${mostThreads}`);
  integer('options.threads', count, 1, mostThreads);
  if (needed && count === 1) throw refused('options.threads', '1', `2 or more beside variant '${named}'`);
  if (named && !needed && count > 1) throw refused('options.threads', `${count}`, `1 beside variant '${named}'`);
  const reason = count > 1 ? obstacle() : undefined;
  if (reason !== undefined) throw unavailable(`threads: ${count}`, reason);
  if (count > room) throw refused('options.threads', `${count}`, `at most ${room} in so little memory`);
  return { count, mayBeOne: false };
}

function unavailable(what: string, reason: string | undefined): AttentionError {
  return new AttentionError('UNSUPPORTED_ENGINE', 'options.threads', `${what} cannot be had here: ${reason}`);
}

function here(room: number): { most: number; reason?: string } {
  const reason = obstacle();
  if (reason !== undefined) return { most: 1, reason };
  const most = Math.min(processors(), mostThreads);
  if (most < 2) return { most: 1, reason: 'this machine has one processor' };
  if (room < 2) return { most: 1, reason: 'maximumMemoryBytes leaves no room for a second one' };
  return { most: Math.min(most, room) };
}

/** Why there can be no second thread here. */
function obstacle(): string | undefined {
  // WebKitGTK is cross-origin isolated and has none, so the class itself is looked for.
  if (typeof SharedArrayBuffer !== 'function') {
    const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
    return isolated
      ? 'this engine has no SharedArrayBuffer'
      : 'there is no SharedArrayBuffer, which pages have when served with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';
  }
  if (!nodeThreads() && typeof Worker !== 'function') return 'this thread cannot start workers';
  if (!mayWait()) return 'this thread may not wait for others; make the engine in a worker';
  return undefined;
}

/** Atomics.wait throws where a thread may not wait; elsewhere it returns at once when the value is another one. */
function mayWait(): boolean {
  return tried(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0)) !== undefined;
}

function processors(): number {
  if (typeof navigator === 'object' && navigator.hardwareConcurrency > 0) return navigator.hardwareConcurrency;
  // Node 20 has no navigator.
  return nodeModule<typeof import('node:os')>('node:os')?.availableParallelism() ?? 1;
}
