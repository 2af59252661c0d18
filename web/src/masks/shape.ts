import { checkKeys, integer, integers, isArrayLike } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import type { MaskShape } from '../types.js';
import { checkRows } from './block-map.js';
import { type Call, type Extent, misfit } from './rule.js';

const known = ['batch', 'heads', 'queries', 'keys', 'queryOffset'] as const;

export type Sizes = Required<MaskShape>;

/** What toDense and density are asked about, with its defaults. */
export function sizesOf(shape: MaskShape): Sizes {
  const given = checkKeys('shape', shape, known);
  return {
    batch: integer('shape.batch', given.batch ?? 1, 0),
    heads: integer('shape.heads', given.heads ?? 1, 0),
    queries: integer('shape.queries', given.queries, 0),
    keys: integer('shape.keys', given.keys, 0),
    queryOffset: given.queryOffset ?? 0,
  };
}

export function callOf({ batch, heads, queries, keys, queryOffset }: Sizes): Call {
  checkRows('shape', batch);
  const offsetOf = offsets(queryOffset, batch);
  const extents = Array.from({ length: batch }, (_, b): Extent => ({ queries, keys, offset: offsetOf(b) }));
  return { extents, heads, argument: 'shape' };
}

function offsets(queryOffset: MaskShape['queryOffset'], batch: number): (b: number) => number {
  const argument = 'shape.queryOffset';
  if (typeof queryOffset === 'number') {
    const offset = integer(argument, queryOffset, -0x80000000);
    return () => offset;
  }
  if (!isArrayLike(queryOffset)) throw invalid(argument, queryOffset, 'an integer or an array of integers');
  const list = integers(argument, queryOffset);
  if (list.length !== batch) throw misfit(argument, `${list.length} offsets`, `one for each batch entry, B = ${batch}`);
  return (b) => list[b] as number;
}

const mostBytes = 2 ** 31;

export function allocate({ batch, heads, queries, keys }: Sizes): Uint8Array<ArrayBuffer> {
  const bytes = batch * heads * queries * keys;
  const refused = (options?: ErrorOptions) =>
    new AttentionError('OUT_OF_MEMORY', 'shape', `a dense mask of ${bytes} bytes does not fit`, options);
  if (bytes > mostBytes) throw refused();
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw refused({ cause });
  }
}
