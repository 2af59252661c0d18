import type { HeadData } from '../engine/protocol';
import { isSpecial } from '../engine/special';
import { weightOf } from './weights';

export interface Pair {
  query: number;
  key: number;
}

/** 1 for the largest; equal values share a rank. */
export function rankOf(row: Float32Array, key: number): number {
  let rank = 1;
  for (const value of row) if (value > row[key]) rank++;
  return rank;
}

/** Shown keys from the most attended down; equal values in reading order. */
export function byWeight(row: Float32Array, [from, to]: readonly [number, number]): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i).sort((a, b) => row[b] - row[a] || a - b);
}

export function strongestKey(row: Float32Array, [from, to]: readonly [number, number]): number {
  let best = from;
  for (let key = from + 1; key < to; key++) if (row[key] > row[best]) best = key;
  return best;
}

/** The pair worth showing first: between two different words where there are any, else the largest cell. */
export function strongestPair(tokens: readonly string[], head: HeadData): Pair | null {
  const [from, to] = head.range;
  const [side] = head.root.size;
  if (side === 0) return null;
  const cut = (cell: number) => from + Math.floor((cell * (to - from)) / side);
  const isWord = (token: number) => !isSpecial(tokens[token]);
  const isFine = side === to - from;
  let best = -1;
  let largest = 0;
  head.root.cells.forEach((weight, cell) => {
    if (weight > head.root.cells[largest]) largest = cell;
    const [query, key] = [cut(Math.floor(cell / side)), cut(cell % side)];
    // A cell of a large matrix holds many pairs, of which some may be of two words.
    if (isFine && (query === key || !isWord(query) || !isWord(key))) return;
    if (best < 0 || weight > head.root.cells[best]) best = cell;
  });
  const cell = best < 0 ? largest : best;
  const [row, column] = [Math.floor(cell / side), cell % side];
  const first = { query: cut(row), key: cut(column) };
  if (isFine) return first;
  let strongest: Pair | null = null;
  for (let query = first.query; query < cut(row + 1); query++) {
    for (let key = first.key; key < cut(column + 1); key++) {
      if (query === key || !isWord(query) || !isWord(key)) continue;
      if (!strongest || weightOf(head, query, key) > weightOf(head, strongest.query, strongest.key))
        strongest = { query, key };
    }
  }
  return strongest ?? first;
}

/** Two decimals where a number is read in passing; a small weight is not a zero. */
export const short = (weight: number) => (weight > 0 && weight < 0.005 ? '<0.01' : weight.toFixed(2));

/** Without the leading zero, for tight places. */
export const tiny = (weight: number) => weight.toFixed(2).replace(/^(-?)0/, '$1');

export const plain = (weight: number) => (weight > 0 && weight < 0.0005 ? '<0.001' : weight.toFixed(3));

export const exact = (weight: number) => weight.toFixed(4);
