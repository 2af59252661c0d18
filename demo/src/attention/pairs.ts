import type { HeadData } from '../engine/protocol';
import { isSpecial } from '../engine/special';

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

/** The pair worth showing first: between two different words where there are any, else the largest cell. Of a head larger than its picture, to the accuracy of that. */
export function strongestPair(tokens: readonly string[], { range: [from, to], root }: HeadData): Pair | null {
  const [side] = root.size;
  if (side === 0) return null;
  const place = (cell: number) => from + Math.floor((cell * (to - from)) / side);
  const isWord = Array.from({ length: side }, (_, cell) => !isSpecial(tokens[place(cell)]));
  let best = -1;
  let largest = -1;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      if (root.cells[row * side + column] > root.cells[largest] || largest < 0) largest = row * side + column;
      if (row === column || !isWord[row] || !isWord[column]) continue;
      if (best < 0 || root.cells[row * side + column] > root.cells[best]) best = row * side + column;
    }
  }
  const cell = best < 0 ? largest : best;
  return { query: place(Math.floor(cell / side)), key: place(cell % side) };
}

/** Two decimals where a number is read in passing; a small weight is not a zero. */
export const short = (weight: number) => (weight > 0 && weight < 0.005 ? '<0.01' : weight.toFixed(2));

/** Without the leading zero, for tight places. */
export const tiny = (weight: number) => weight.toFixed(2).replace(/^(-?)0/, '$1');

export const plain = (weight: number) => (weight > 0 && weight < 0.0005 ? '<0.001' : weight.toFixed(3));

export const exact = (weight: number) => weight.toFixed(4);
