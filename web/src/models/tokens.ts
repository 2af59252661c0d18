import { integers, isArrayLike, roomFor } from '../arguments.js';
import { AttentionError, invalid, refused } from '../errors.js';
import { valuesOf } from '../masks/inputs.js';
import { idsOperand } from '../operand.js';
import type { TokenIds } from './types.js';

/** A batch of sequences as one [B,S] table; shorter sequences are padded on the right. */
export interface TokenTable {
  readonly batch: number;
  readonly length: number;
  readonly values: Int32Array;
  /** Values that were given per sequence. */
  readonly lengths: readonly number[];
}

export function tokenTable(argument: string, input: TokenIds, padding = 0): TokenTable {
  const rows = sequences(argument, input);
  const lengths = rows.map((row) => row.length);
  const length = lengths.reduce((most, one) => Math.max(most, one), 0);
  const values = roomFor(argument, rows.length * length).fill(padding);
  rows.forEach((row, b) => {
    values.set(row, b * length);
  });
  return { batch: rows.length, length, values, lengths };
}

/** A table beside the token ids, of their batch size and length. */
export function besideTokens(argument: string, given: TokenIds, tokens: TokenTable): Int32Array {
  const table = tokenTable(argument, given);
  const fits = table.batch === tokens.batch && table.lengths.every((length, b) => length === tokens.lengths[b]);
  if (!fits) {
    throw new AttentionError(
      'SHAPE_MISMATCH',
      argument,
      `got sequences of ${table.lengths.join(', ')} values, wanted those of the input: ${tokens.lengths.join(', ')}`,
    );
  }
  return table.values;
}

/** Every value must be a row of a table of `count`. */
export function checkRows(argument: string, values: Int32Array, count: number): void {
  const at = values.findIndex((value) => value < 0 || value >= count);
  if (at >= 0) throw invalid(argument, values[at], `0..${count - 1} at index ${at}`);
}

function sequences(argument: string, input: TokenIds): Int32Array[] {
  if (isArrayLike(input)) {
    const first: unknown = input[0];
    if (!isArrayLike(first)) return [integers(argument, input)];
    return Array.from(input as ArrayLike<unknown>, (row, b) => integers(`${argument}[${b}]`, row));
  }
  const ids = idsOperand(argument, input);
  const { shape, dtype } = ids;
  if (shape.length !== 1 && shape.length !== 2) {
    throw new AttentionError('SHAPE_MISMATCH', argument, `got shape [${shape}], wanted [S] or [B,S]`);
  }
  if (dtype === 'float32' || dtype === 'float16') {
    throw new AttentionError('UNSUPPORTED_DTYPE', argument, `got ${dtype}, wanted integers`);
  }
  const flat = integers(argument, valuesOf(ids));
  const length = shape.at(-1) as number;
  const batch = shape.length === 2 ? (shape[0] as number) : 1;
  if (batch > flat.length) throw refused(argument, `shape [${shape}]`, 'a token or more in each sequence');
  return Array.from({ length: batch }, (_, b) => flat.subarray(b * length, (b + 1) * length));
}
