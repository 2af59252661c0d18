import { onIntegers } from './advice.js';
import { AttentionError, invalid } from './errors.js';
import { isAbortSignal } from './realms.js';
import type { Integers } from './types.js';
import { onUnknownKey, onUnknownValue } from './words.js';

/** Reads an options bag: every key must be one of `known`. null is refused: undefined alone means "not given". */
export function checkKeys<T extends object>(argument: string, options: T | undefined, known: readonly string[]): T {
  if (options === undefined) return {} as T;
  checkBag(argument, options);
  for (const key of Object.keys(options)) {
    const name = `${argument}.${key}`;
    if (!known.includes(key)) throw new AttentionError('INVALID_ARGUMENT', name, onUnknownKey(key, known));
    if ((options as Record<string, unknown>)[key] === null) throw invalid(name, null, 'a value, or no such key');
  }
  return options;
}

/** Refuses what is no object of named values: a map, a list or a mask would have no key that is wrong. */
export function checkBag(argument: string, value: unknown): void {
  if (Object.prototype.toString.call(value) === '[object Object]') {
    if (Object.keys(value as object).length > 0) return;
    const type = Object.getPrototypeOf(value);
    if (type === null || Object.getPrototypeOf(type) === null) return; // {}, of whatever realm
  }
  throw invalid(argument, value, 'an object with named values');
}

export function oneOf<T>(argument: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  const list = allowed.map((one) => (typeof one === 'string' ? `'${one}'` : String(one))).join(', ');
  throw invalid(argument, value, list + onUnknownValue(value, allowed));
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
  if (!isArrayLike(values)) throw invalid(argument, values, `an array of integers${onIntegers(values)}`);
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
