import { AttentionError, invalid } from './errors.js';
import { isAbortSignal } from './realms.js';
import type { Integers } from './types.js';

/** Reads an options bag: every key must be one of `known`. null is refused: undefined alone means "not given". */
export function checkKeys<T extends object>(argument: string, options: T | undefined, known: readonly string[]): T {
  if (options === undefined) return {} as T;
  // A map or a list would have no key that is wrong.
  const isBag = Object.prototype.toString.call(options) === '[object Object]';
  if (!isBag) throw invalid(argument, options, 'an object');
  for (const key of Object.keys(options)) {
    const name = `${argument}.${key}`;
    if (!known.includes(key)) {
      const near = nearest(key, known);
      const hint = near ? ` (did you mean ${near}?)` : '';
      throw new AttentionError('INVALID_ARGUMENT', name, `unknown key${hint}, wanted one of ${known.join(', ')}`);
    }
    if ((options as Record<string, unknown>)[key] === null) throw invalid(name, null, 'a value, or no such key');
  }
  return options;
}

function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, word.length / 3) ? best.name : undefined;
}

/** Levenshtein, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

export function oneOf<T>(argument: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  throw invalid(argument, value, allowed.map((one) => (typeof one === 'string' ? `'${one}'` : String(one))).join(', '));
}

export function finite(argument: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(argument, value, 'a finite number');
  return value;
}

export function integer(argument: string, value: unknown, least: number, most = 0x7fffffff): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(argument, value, `an integer from ${least} to ${most}`);
  }
  return value;
}

/** Numbers or bigints as int32: ids, lengths and positions never need more. */
export function integers(argument: string, values: unknown, least = -0x80000000): Int32Array {
  if (!isArrayLike(values)) throw invalid(argument, values, 'an array of integers');
  const { length } = values;
  const at = (i: number): number => {
    const value = values[i];
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || (number | 0) !== number || number < least) {
      throw invalid(argument, value, `an integer from ${least} to 2147483647 at index ${i}`);
    }
    return number;
  };
  // An object that only claims a length is refused before room is made for it.
  if (length > 0 && values[length - 1] === undefined) at(length - 1);
  const out = roomFor(argument, length);
  for (let i = 0; i < length; i++) out[i] = at(i);
  return out;
}

export function roomFor(argument: string, length: number): Int32Array<ArrayBuffer> {
  try {
    return new Int32Array(length);
  } catch (cause) {
    throw new AttentionError('OUT_OF_MEMORY', argument, `${length} integers do not fit`, { cause });
  }
}

export function isArrayLike(value: unknown): value is Integers {
  if (typeof value !== 'object' || value === null) return false;
  const { length } = value as ArrayLike<unknown>;
  return Number.isInteger(length) && length >= 0 && length <= 0x7fffffff;
}

export function abortSignal(signal: unknown, argument = 'options.signal'): AbortSignal | undefined {
  if (signal === undefined || isAbortSignal(signal)) return signal;
  throw invalid(argument, signal, 'an AbortSignal');
}

export function abortError(signal: AbortSignal): AttentionError {
  return new AttentionError('ABORTED', undefined, 'aborted by options.signal', { cause: signal.reason });
}
