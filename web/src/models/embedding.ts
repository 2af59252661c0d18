import type { Attention, Tensor } from '../types.js';
import type { Batch } from './batch.js';
import type { Table, TokenEmbedding } from './parts.js';

/** A batch's tokens as vectors, [B,S,size]; `positions` [B,S] of learned ones. */
export function embedTokens(
  attention: Attention,
  embedding: TokenEmbedding,
  size: number,
  { batch, length, ids, types }: Batch,
  positions: Int32Array,
): Tensor<'float32'> {
  const { words, scale = 1, positions: table, types: typeTable, norm } = embedding;
  const shape = [batch, length];
  const hidden = attention.zeros([...shape, size]);
  const addRows = (data: Int32Array, from: Table) =>
    attention.add(hidden, attention.embedding({ data, shape }, from), { out: hidden });
  try {
    attention.embedding({ data: ids, shape }, words, { out: hidden });
    if (scale !== 1) multiply(hidden.data, scale);
    if (table) addRows(positions, table);
    if (typeTable) addRows(types ?? new Int32Array(ids.length), typeTable.table);
    if (norm) attention.layerNorm(hidden, norm.weight, norm.bias, { epsilon: norm.epsilon, out: hidden });
    return hidden;
  } catch (error) {
    hidden.dispose();
    throw error;
  }
}

/** 0, 1, 2 …; RoBERTa's count tokens that are not padding, whatever the mask says. */
export function encoderPositions({ ids, length }: Batch, paddingId: number | undefined): Int32Array {
  if (paddingId === undefined) return ids.map((_, at) => at % length);
  let last = paddingId;
  return ids.map((id, at) => {
    if (at % length === 0) last = paddingId;
    return id === paddingId ? paddingId : ++last;
  });
}

/** Of decoders: attended tokens before each, `before` of them held of each sequence. */
export function decoderPositions({ mask, length }: Batch, before: (entry: number) => number): Int32Array {
  let count = 0;
  return mask.map((attends, at) => {
    if (at % length === 0) count = before(at / length);
    if (attends === 0) return Math.max(0, count - 1);
    return count++;
  });
}

function multiply(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * factor;
}
