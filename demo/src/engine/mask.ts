import { type Mask, masks } from 'attention-wasm';

/** Half-open ranges of queries and keys. */
export interface Block {
  rows: readonly [number, number];
  columns: readonly [number, number];
}

/** What the visitor asks of a mask, as it stands in a form and in an address. */
export interface MaskSpec {
  causal: boolean;
  /** Keys at most so far away, on either side. */
  window: number | null;
  /** So many of the last tokens are attended by none. */
  padding: number;
  /** Tokens that attend to all and are attended by all, whatever the window says (Longformer). */
  globals: readonly number[];
  /** Pairs painted away by hand. */
  blocks: readonly Block[];
}

export const noMask: MaskSpec = { causal: false, window: null, padding: 0, globals: [], blocks: [] };

export const isMasked = ({ causal, window, padding, blocks }: MaskSpec) =>
  causal || window !== null || padding > 0 || blocks.length > 0;

const within = (index: number, [from, to]: readonly [number, number]) => index >= from && index < to;
const hides = ({ rows, columns }: Block, query: number, key: number) => within(query, rows) && within(key, columns);

/** Whether one pair attends, of `size` tokens. */
export function attends(spec: MaskSpec, size: number, query: number, key: number): boolean {
  const { causal, window, padding, globals, blocks } = spec;
  if (causal && key > query) return false;
  if (padding > 0 && key >= size - padding) return false;
  if (window !== null && Math.abs(query - key) > window && !globals.includes(query) && !globals.includes(key))
    return false;
  return !blocks.some((block) => hides(block, query, key));
}

/** The same as a rule of the engine; null where every pair attends. */
export function ruleOf(spec: MaskSpec, size: number): Mask | null {
  const { causal, window, padding, globals, blocks } = spec;
  const inside = globals.filter((token) => token < size);
  const near = window === null ? null : masks.slidingWindow(window, window);
  return allOf([
    near && inside.length > 0 ? near.or(masks.globalTokens(inside)) : near,
    causal ? masks.causal() : null,
    padding > 0 ? masks.keyPadding([Math.max(0, size - padding)]) : null,
    blocks.length > 0 ? painted(blocks) : null,
  ]);
}

export function allOf(rules: readonly (Mask | null)[]): Mask | null {
  return rules.reduce((all, rule) => (all && rule ? all.and(rule) : (all ?? rule)), null);
}

const painted = (blocks: readonly Block[]) =>
  masks.fromFunction((_batch, _head, query, key) => !blocks.some((block) => hides(block, query, key)), {
    perBatch: false,
    perHead: false,
  });
