import { integer, integers } from './arguments.js';
import { AttentionError } from './errors.js';
import type { Extent } from './masks/index.js';
import type { Operand } from './operand.js';
import type { AttentionRules } from './types.js';

/** The sizes that a mask rule is compiled for. */
export interface CallShape {
  heads: number;
  /** One for each batch entry. */
  sequences: readonly { queries: number; keys: number }[];
}

/**
 * Of q and k in any of their shapes. Nothing, here and below, where the sizes contradict each other: the core says how, and
 * a rule shall not be asked about pairs that do not exist.
 */
export function shapeOfHeads(q: Operand, k: Operand, options: AttentionRules): CallShape | undefined {
  const query = axesOf(q.shape, options, options.numHeads);
  const key = axesOf(k.shape, options, options.numKvHeads ?? options.numHeads);
  if (!query || !key || query.batch !== key.batch || query.size !== key.size || query.size === 0) return undefined;
  return uniform(query.batch, query.heads, query.length, key.length);
}

/** Of q beside a cache. */
export function shapeOfQueries(
  q: Operand,
  options: AttentionRules,
  cache: { batch: number; size: number; keys: number },
): CallShape | undefined {
  const query = axesOf(q.shape, options, options.numHeads);
  if (!query || query.batch !== cache.batch || query.size !== cache.size) return undefined;
  return uniform(query.batch, query.heads, query.length, cache.keys);
}

/** Of [B,S,E] or [S,E] before the projections, `held` keys before them. */
export function shapeOfSources(x: Operand, key: Operand, numHeads = 1, held = 0): CallShape | undefined {
  const [queries, keys] = [x.shape.at(-2), key.shape.at(-2)];
  if (queries === undefined || keys === undefined || x.shape.at(-1) === 0 || key.shape.at(-1) === 0) return undefined;
  return uniform(x.shape.length === 3 ? (x.shape[0] as number) : 1, numHeads, queries, held + keys);
}

/** Of sequences packed end to end, by their prefix sums. */
export function shapeOfPacked(
  q: Operand,
  k: Operand,
  queryStarts: Int32Array,
  keyStarts: Int32Array,
): CallShape | undefined {
  const [queries, heads, size] = q.shape;
  if (heads === undefined || size === 0 || queryStarts.length !== keyStarts.length) return undefined;
  if (queryStarts.at(-1) !== queries || keyStarts.at(-1) !== k.shape[0] || k.shape[2] !== size) return undefined;
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
  if (lengths?.some((length, b) => length < 0 || length > (shape.sequences[b]?.keys ?? 0))) return undefined;
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
  { layout }: AttentionRules,
  numHeads: number | undefined,
): { batch: number; heads: number; length: number; size: number } | undefined {
  const [n0 = 0, n1 = 0, n2 = 0, n3 = 0] = shape;
  const heads = numHeads ?? 1;
  if (shape.length === 2) return { batch: 1, heads, length: n0, size: n1 / heads };
  if (shape.length === 3) {
    return numHeads
      ? { batch: n0, heads, length: n1, size: n2 / heads }
      : { batch: 1, heads: n0, length: n1, size: n2 };
  }
  if (shape.length !== 4) return undefined;
  const [first, second] = layout === 'BSHD' ? [n2, n1] : [n1, n2];
  return { batch: n0, heads: first, length: second, size: n3 };
}

/** A list of more would be larger than the tensors. */
const mostEntries = 2 ** 24;

function uniform(batch: number, heads: number, queries: number, keys: number): CallShape {
  if (batch > mostEntries) {
    throw new AttentionError('OUT_OF_MEMORY', 'options.mask', `a rule for ${batch} batch entries does not fit`);
  }
  return { heads, sequences: Array.from({ length: batch }, () => ({ queries, keys })) };
}
