import { integer, integers } from './arguments.js';
import type { Extent } from './masks/index.js';
import type { Operand } from './operand.js';
import type { AttentionRules } from './types.js';

/** The sizes that a mask rule is compiled for. */
export interface CallShape {
  heads: number;
  /** One for each batch entry. */
  sequences: readonly { queries: number; keys: number }[];
}

/** Of q and k in any of their shapes; nothing where they have no such shape. */
export function shapeOfHeads(q: Operand, k: Operand, options: AttentionRules): CallShape | undefined {
  const query = axesOf(q.shape, options);
  const key = axesOf(k.shape, options);
  return query && key && uniform(query.batch, query.heads, query.length, key.length);
}

/** Of [B,S,E] or [S,E] before the projections. */
export function shapeOfSources(x: Operand, key: Operand, numHeads = 1): CallShape | undefined {
  const [queries, keys] = [x.shape.at(-2), key.shape.at(-2)];
  if (queries === undefined || keys === undefined) return undefined;
  return uniform(x.shape.length === 3 ? (x.shape[0] as number) : 1, numHeads, queries, keys);
}

/** Of sequences packed end to end, by their prefix sums. */
export function shapeOfPacked(q: Operand, queryStarts: Int32Array, keyStarts: Int32Array): CallShape | undefined {
  const heads = q.shape[1];
  if (heads === undefined || queryStarts.length !== keyStarts.length) return undefined;
  const sequences = Array.from(queryStarts.subarray(1), (end, b) => ({
    queries: end - (queryStarts[b] as number),
    keys: (keyStarts[b + 1] as number) - (keyStarts[b] as number),
  }));
  const isRising = sequences.every(({ queries, keys }) => queries >= 0 && keys >= 0);
  return isRising ? { heads, sequences } : undefined;
}

/** Where each batch entry's queries stand; nothing where a list is not as long as the batch. */
export function extentsOf(shape: CallShape, options: AttentionRules): Extent[] | undefined {
  const { queryOffset, causal } = options;
  const shared = typeof queryOffset === 'number' ? integer('options.queryOffset', queryOffset, -0x80000000) : undefined;
  const offsets = shared === undefined ? optionalIntegers('options.queryOffset', queryOffset) : undefined;
  const lengths = optionalIntegers('options.kvLengths', options.kvLengths);
  if ([offsets, lengths].some((list) => list && list.length !== shape.sequences.length)) return undefined;
  return shape.sequences.map(({ queries, keys }, b) => {
    const standard = causal === 'lower-right' ? (lengths?.[b] ?? keys) - queries : 0;
    return { queries, keys, offset: offsets?.[b] ?? shared ?? standard };
  });
}

function optionalIntegers(argument: string, values: unknown): Int32Array | undefined {
  return values === undefined ? undefined : integers(argument, values);
}

function axesOf(
  shape: readonly number[],
  { layout, numHeads }: AttentionRules,
): { batch: number; heads: number; length: number } | undefined {
  const [n0 = 0, n1 = 0, n2 = 0] = shape;
  if (shape.length === 2) return { batch: 1, heads: numHeads ?? 1, length: n0 };
  if (shape.length === 3)
    return numHeads ? { batch: n0, heads: numHeads, length: n1 } : { batch: 1, heads: n0, length: n1 };
  if (shape.length !== 4) return undefined;
  return layout === 'BSHD' ? { batch: n0, heads: n2, length: n1 } : { batch: n0, heads: n1, length: n2 };
}

/** More batch entries hold nothing but empty sequences. */
const mostEntries = 2 ** 24;

function uniform(batch: number, heads: number, queries: number, keys: number): CallShape | undefined {
  if (batch > mostEntries) return undefined;
  return { heads, sequences: Array.from({ length: batch }, () => ({ queries, keys })) };
}
