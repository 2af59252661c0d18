import { integers, isArrayLike } from '../arguments.js';
import { AttentionError, invalid, refused } from '../errors.js';
import { type Operand, operand } from '../operand.js';
import { ResidentTensor } from '../tensor.js';
import { misfit } from './rule.js';

/** What builders are given, checked and copied: a mask never changes. */

export function naturals(argument: string, values: unknown): number[] {
  const list = Array.from(integers(argument, values));
  const at = list.findIndex((value) => value < 0);
  if (at >= 0) throw refused(argument, `${list[at]} at index ${at}`, 'integers from 0');
  return list;
}

/** One list, or one for each batch entry. */
export function integerLists(argument: string, value: unknown): { lists: Int32Array[]; perBatch: boolean } {
  if (!isArrayLike(value)) throw invalid(argument, value, 'an array of integers, or one for each batch entry');
  if (!isArrayLike(value[0])) return { lists: [integers(argument, value)], perBatch: false };
  const lists = Array.from(value as ArrayLike<unknown>, (list, b) => integers(`${argument}[${b}]`, list));
  return { lists, perBatch: true };
}

/** Bool or integers: anything that is not 0 counts. */
export function flags(argument: string, value: unknown): { tensor: Operand; values: Uint8Array } {
  const tensor = operand(argument, value);
  if (tensor.dtype.startsWith('float')) throw unsupported(argument, tensor, 'bool or integers');
  const values = valuesOf(tensor);
  return { tensor, values: new Uint8Array(values.length).map((_, i) => (values[i] === 0 ? 0 : 1)) };
}

export function unsupported(argument: string, { given }: Operand, wanted: string): AttentionError {
  return new AttentionError('UNSUPPORTED_DTYPE', argument, `got ${given}, wanted ${wanted}`);
}

export function valuesOf({ argument, values }: Operand): ArrayLike<number> {
  if (!(values instanceof ResidentTensor)) return values;
  try {
    return values.data;
  } catch (cause) {
    throw new AttentionError('DISPOSED', argument, 'got a tensor that was disposed', { cause });
  }
}

export function notOfRank(argument: string, { shape }: Operand, wanted: string): AttentionError {
  return misfit(argument, `shape [${shape}]`, wanted);
}
