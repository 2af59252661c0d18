import { tried } from './tried.js';
import type { AttentionErrorCode } from './types.js';

/**
 * The one error every function throws. The message names the argument, what came and what was wanted. A failed call
 * changes no tensor except `out`, and the engine stays usable. What the caller's own code throws while it is asked (a
 * getter, a mask rule) passes through unchanged.
 */
export class AttentionError extends Error {
  /** The same for every code; known also where `instanceof` does not reach, as between two copies of the package. */
  override readonly name = 'AttentionError';
  /** The kind of reason: to be tested, where the message is to be read. */
  readonly code: AttentionErrorCode;
  /** The argument's name as the documentation has it: `k`, `options.mask`. Absent where no single one is at fault. */
  readonly argument?: string;

  /** The message begins with the argument, where there is one; `cause` is what lay behind, as a signal's reason. */
  constructor(code: AttentionErrorCode, argument: string | undefined, message: string, options?: { cause?: unknown }) {
    super(argument ? `${argument}: ${message}` : message, options);
    this.code = code;
    if (argument) this.argument = argument;
  }
}

/** Codes of the core, in the order of cpp/include/attention/status.hpp. */
const coreCodes: readonly AttentionErrorCode[] = [
  'SHAPE_MISMATCH',
  'INVALID_ARGUMENT',
  'UNSUPPORTED_DTYPE',
  'OUT_OF_MEMORY',
  'CAPACITY_EXCEEDED',
  'CORRUPT_FILE',
];

export function coreError(code: number, argument: string, message: string): AttentionError {
  return new AttentionError(coreCodes[code - 1] ?? 'INVALID_ARGUMENT', argument || undefined, message);
}

export function invalid(argument: string, got: unknown, wanted: string): AttentionError {
  return refused(argument, describe(got), wanted);
}

/** As invalid(), with `got` already in words. */
export function refused(argument: string, got: string, wanted: string): AttentionError {
  return new AttentionError('INVALID_ARGUMENT', argument, `got ${got}, wanted ${wanted}`);
}

/** An error of a function that another one calls, about its argument `own` or a part of it, in terms of that one's. */
export function inTermsOf(error: unknown, own: string, callers: string): unknown {
  if (!(error instanceof AttentionError && error.argument && `${error.argument}.`.startsWith(`${own}.`))) return error;
  const message = error.message.slice(`${error.argument}: `.length);
  return new AttentionError(error.code, error.argument.replace(own, callers), message, { cause: error.cause });
}

/** What a thrown value says, whichever realm's error it is. */
export function messageOf(thrown: unknown): string {
  const message: unknown = tried(() => Object(thrown).message);
  return typeof message === 'string' ? message : describe(thrown);
}

/** A value as an error message shows it: short, and never a dump of an array. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (value === null || typeof value !== 'object') return String(value);
  // None of a revoked proxy, of a class whose name is no text.
  return tried(() => describeObject(value)) ?? 'an object';
}

function describeObject(value: object): string {
  const name = Object.getPrototypeOf(value)?.constructor?.name ?? 'Object';
  const length = (value as { length?: unknown }).length;
  return typeof length === 'number' ? `${name}(${length})` : /^[aeiou]/i.test(name) ? `an ${name}` : `a ${name}`;
}
