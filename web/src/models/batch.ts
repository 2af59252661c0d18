import { refuseUntokenized } from '../advice.js';
import { AttentionError, invalid } from '../errors.js';
import type { TokenEmbedding } from './parts.js';
import { besideTokens, checkRows, tokenTable } from './tokens.js';
import type { ModelOptions, TokenIds } from './types.js';

/** A checked input: ids, which of them attend, and their types, all [B,S]. */
export interface Batch {
  readonly batch: number;
  readonly length: number;
  readonly ids: Int32Array;
  readonly mask: Int32Array;
  readonly types: Int32Array | undefined;
}

export function readBatch(
  argument: string,
  input: TokenIds,
  embedding: TokenEmbedding,
  { attentionMask, tokenTypeIds }: Pick<ModelOptions, 'attentionMask' | 'tokenTypeIds'> = {},
): Batch {
  refuseUntokenized(argument, input);
  const tokens = tokenTable(argument, input, embedding.paddingId);
  const { batch, length, lengths, values: ids } = tokens;
  if (length === 0) throw new AttentionError('INVALID_ARGUMENT', argument, 'got no tokens, wanted at least one');
  checkLength(argument, length, embedding.maxLength);
  checkRows(argument, ids, embedding.vocabulary);
  const mask =
    attentionMask === undefined
      ? ids.map((_, at) => (at % length < (lengths[Math.floor(at / length)] as number) ? 1 : 0))
      : besideTokens('options.attentionMask', attentionMask, tokens);
  if (tokenTypeIds === undefined) return { batch, length, ids, mask, types: undefined };
  if (!embedding.types) throw invalid('options.tokenTypeIds', tokenTypeIds, 'none: this model has no token types');
  const types = besideTokens('options.tokenTypeIds', tokenTypeIds, tokens);
  checkRows('options.tokenTypeIds', types, embedding.types.count);
  return { batch, length, ids, mask, types };
}

export function checkLength(argument: string, length: number, most: number): void {
  if (length <= most) return;
  throw new AttentionError('INVALID_ARGUMENT', argument, `got ${length} tokens, wanted at most ${most}`);
}

/** Tokens from..to of one sequence. */
export function slice({ ids, mask }: Batch, from: number, to: number): Batch {
  return { batch: 1, length: to - from, ids: ids.slice(from, to), mask: mask.slice(from, to), types: undefined };
}

/** One sequence, all of whose tokens attend. */
export function sequence(ids: Int32Array): Batch {
  return { ...sequences(1, ids.length), ids };
}

/** All of their tokens attend. */
export function sequences(batch: number, length: number): Batch {
  const ids = new Int32Array(batch * length);
  return { batch, length, ids, mask: ids.map(() => 1), types: undefined };
}
