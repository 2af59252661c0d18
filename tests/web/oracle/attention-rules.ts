import type { Rule } from './masks.ts';
import { type Numbers, valuesOf } from './values.ts';

/** What an attention call may see and how its scores are made, in the words of the package's interface. */
export interface OracleOptions {
  layout?: 'BHSD' | 'BSHD';
  numHeads?: number;
  numKvHeads?: number;
  scale?: number;
  softcap?: number;
  causal?: boolean | 'upper-left' | 'lower-right';
  window?: readonly [left: number, right: number];
  queryOffset?: number | ArrayLike<number | bigint>;
  mask?: Numbers;
  /** In place of `mask`: what the Mask given to the package means. */
  rule?: Rule;
  attentionMask?: Numbers;
  alibi?: boolean | Numbers;
  sinks?: Numbers;
  kvLengths?: ArrayLike<number | bigint>;
}

/** The sizes that rules depend on. */
export interface Sizes {
  H: number;
  Sq: number;
  Skv: number;
}

/** First match wins: queryOffset; 'lower-right' from the number of valid keys; else 0. */
export function offsetOf(b: number, { Sq, Skv }: Omit<Sizes, 'H'>, options: OracleOptions): number {
  const given = options.queryOffset;
  if (given !== undefined) return typeof given === 'number' ? given : Number(given[b]);
  if (options.causal === 'lower-right') return Number(options.kvLengths?.[b] ?? Skv) - Sq;
  return 0;
}

/**
 * Press et al. 2022: for 2^m heads the geometric sequence that begins with its own ratio 2^(−8/2^m). For other counts (the
 * authors' published code) the sequence of the next lower power of two, then every other slope of the next higher one.
 */
export function alibiSlopes(H: number): number[] {
  const ofPower = (n: number) => Array.from({ length: n }, (_, k) => 2 ** ((-8 * (k + 1)) / n));
  const lower = 2 ** Math.floor(Math.log2(H));
  const higher = ofPower(2 * lower).filter((_, k) => k % 2 === 0);
  return [...ofPower(lower), ...higher.slice(0, H - lower)];
}

type OfPair = (b: number, h: number, i: number, j: number) => number;

/** What is added to the score of a pair, all rules at once: `mask` is −∞ where it may not attend. */
export function biasOf(sizes: Sizes, options: OracleOptions): { alibi: OfPair; mask: OfPair } {
  const { causal, rule } = options;
  const lengths = options.kvLengths && Array.from(options.kvLengths as ArrayLike<number>, Number);
  const offsets: number[] = [];
  const position = (b: number, i: number) => {
    offsets[b] ??= offsetOf(b, sizes, options);
    return i + offsets[b];
  };
  const dense = denseBias(options.mask, sizes.Skv);
  const keys = options.attentionMask && valuesOf(options.attentionMask);
  const slopes = options.alibi === true ? alibiSlopes(sizes.H) : options.alibi && valuesOf(options.alibi);
  const [left = 0, right = 0] = (options.window ?? [-1, -1]).map((n) => (n === -1 ? Infinity : n));
  return {
    alibi: slopes ? (b, h, i, j) => -(slopes[h] as number) * Math.abs(position(b, i) - j) : () => 0,
    mask: (b, h, i, j) => {
      const p = position(b, i);
      if (causal && j > p) return -Infinity;
      if (j < p - left || j > p + right) return -Infinity;
      if (lengths && j >= (lengths[b] as number)) return -Infinity;
      if (keys && keys[b * sizes.Skv + j] === 0) return -Infinity;
      if (rule && !rule({ b, h, i, p, j, keys: sizes.Skv })) return -Infinity;
      return dense(b, h, i, j);
    },
  };
}

/** The mask right-aligned to [B,H,Sq,Skv]: the number to add, or −∞ where it masks. */
export function denseBias(mask: Numbers | undefined, Skv: number): OfPair {
  if (mask === undefined) return () => 0;
  const data = valuesOf(mask);
  const [nb = 1, nh = 1, ni = 1, nj = 1] = [1, 1, 1, 1, ...mask.shape].slice(-4);
  const bool = mask.dtype === 'bool';
  return (b, h, i, j) => {
    if (nj !== 1 && nj < Skv && j >= nj) return -Infinity;
    const at = (n: number, index: number) => (n === 1 ? 0 : index);
    const value = data[((at(nb, b) * nh + at(nh, h)) * ni + at(ni, i)) * nj + at(nj, j)] as number;
    if (bool) return value !== 0 ? 0 : -Infinity;
    return value;
  };
}
