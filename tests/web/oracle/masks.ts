import { type Numbers, sizeOf, valuesOf } from './values.ts';

/** Query row i of batch b and head h, standing at position p = i + offset_b, and key j of `keys`. */
export interface Pair {
  readonly b: number;
  readonly h: number;
  readonly i: number;
  readonly p: number;
  readonly j: number;
  readonly keys: number;
}
/** Whether the pair attends: each function below is one line of the contract. */
export type Rule = (pair: Pair) => boolean;

type Ints = ArrayLike<number | bigint>;

export const and =
  (one: Rule, other: Rule): Rule =>
  (pair) =>
    one(pair) && other(pair);
export const or =
  (one: Rule, other: Rule): Rule =>
  (pair) =>
    one(pair) || other(pair);
export const not =
  (rule: Rule): Rule =>
  (pair) =>
    !rule(pair);

export const causal: Rule = ({ p, j }) => j <= p;

/** p − left ≤ j ≤ p + right; −1 is no limit. */
export const slidingWindow =
  (left: number, right: number): Rule =>
  ({ p, j }) =>
    (left === -1 || j >= p - left) && (right === -1 || j <= p + right);

/** j < lengths[b]. */
export const keyLengths =
  (lengths: Ints): Rule =>
  ({ b, j }) =>
    j < Number(lengths[b]);

/** [B,Skv]: non-zero attends. */
export function keyMask(mask: Numbers): Rule {
  const keys = valuesOf(mask);
  const width = mask.shape[1] as number;
  return ({ b, j }) => keys[b * width + j] !== 0;
}

/** j < prefix or j ≤ p, with one prefix or one per batch. */
export const prefixLM =
  (prefix: number | Ints): Rule =>
  ({ b, p, j }) =>
    j < Number(typeof prefix === 'number' ? prefix : prefix[b]) || j <= p;

/** The same id at p and at j; one list, or one per batch. Before the list there are no documents. */
export const documents =
  (ids: Ints | readonly Ints[]): Rule =>
  ({ b, p, j }) => {
    const list = (typeof ids[0] === 'object' ? ids[b] : ids) as Ints;
    return p >= 0 && Number(list[p]) === Number(list[j]);
  };

/** |p − j| ≤ window·dilation and a whole number of dilations apart. */
export const dilated =
  (window: number, dilation: number): Rule =>
  ({ p, j }) =>
    Math.abs(p - j) <= window * dilation && Math.abs(p - j) % dilation === 0;

/** p or j is one of them. */
export const globalTokens =
  (indices: Ints): Rule =>
  ({ p, j }) =>
    Array.from(indices as ArrayLike<number>, Number).some((index) => index === p || index === j);

/** bigBird without its random blocks: near in blocks, or one of the first blocks on either side. */
export const bigBirdFixed =
  ({ blockSize, window, globalBlocks }: { blockSize: number; window: number; globalBlocks: number }): Rule =>
  ({ p, j }) => {
    if (p < 0) return false;
    const [r, c] = [Math.floor(p / blockSize), Math.floor(j / blockSize)];
    return Math.abs(r - c) <= (window - 1) / 2 || r < globalBlocks || c < globalBlocks;
  };

/** blocks [B or 1, H or 1, rows, columns]: non-zero attends. Before the first block there is nothing. */
export function blockSparse(blocks: Numbers, blockSize: number): Rule {
  const table = valuesOf(blocks);
  const [nb = 1, nh = 1, rows = 1, columns = 1] = blocks.shape;
  return ({ b, h, p, j }) => {
    if (p < 0) return false;
    const line = (nb === 1 ? 0 : b) * nh + (nh === 1 ? 0 : h);
    return table[(line * rows + Math.floor(p / blockSize)) * columns + Math.floor(j / blockSize)] !== 0;
  };
}

/** Right-aligned to [B,H,Sq,Skv] by the plain row; a last axis that is neither 1 nor long enough ends in "masked". */
export function dense(mask: Numbers): Rule {
  const bits = valuesOf(mask);
  const [nb = 1, nh = 1, ni = 1, nj = 1] = [1, 1, 1, 1, ...mask.shape].slice(-4);
  const at = (n: number, index: number) => (n === 1 ? 0 : index);
  return ({ b, h, i, j }) => {
    if (nj !== 1 && j >= nj) return false;
    return bits[((at(nb, b) * nh + at(nh, h)) * ni + at(ni, i)) * nj + at(nj, j)] !== 0;
  };
}

type Asked = (batch: number, head: number, query: number, key: number) => boolean;
export const fromFunction =
  (rule: Asked, { perBatch = true, perHead = true } = {}): Rule =>
  ({ b, h, p, j }) =>
    rule(perBatch ? b : 0, perHead ? h : 0, p, j);

export interface Shape {
  readonly batch?: number;
  readonly heads?: number;
  readonly queries: number;
  readonly keys: number;
  readonly queryOffset?: number | Ints;
}

/** What one batch entry asks for; `offset` is the position of its query 0. */
export interface Extent {
  readonly queries: number;
  readonly keys: number;
  readonly offset: number;
}

export const extentsOf = ({ batch = 1, queries, keys, queryOffset = 0 }: Shape): Extent[] =>
  Array.from({ length: batch }, (_, b) => ({
    queries,
    keys,
    offset: Number(typeof queryOffset === 'number' ? queryOffset : queryOffset[b]),
  }));

/** The rule asked for every pair of one head of one batch entry. */
export function plane(rule: Rule, b: number, h: number, { queries, keys, offset }: Extent): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(queries * keys);
  let n = 0;
  for (let i = 0; i < queries; i++)
    for (let j = 0; j < keys; j++) data[n++] = rule({ b, h, i, p: i + offset, j, keys }) ? 1 : 0;
  return data;
}

/** The rule asked for every pair. */
export function toDense(rule: Rule, shape: Shape): { data: Uint8Array<ArrayBuffer>; shape: number[]; dtype: 'bool' } {
  const { batch: B = 1, heads: H = 1, queries, keys } = shape;
  const full = [B, H, queries, keys];
  const data = new Uint8Array(sizeOf(full));
  extentsOf(shape).forEach((extent, b) => {
    for (let h = 0; h < H; h++) data.set(plane(rule, b, h, extent), (b * H + h) * queries * keys);
  });
  return { data, shape: full, dtype: 'bool' };
}
