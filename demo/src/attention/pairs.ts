import { isSeparator } from './reading';

export interface Pair {
  query: number;
  key: number;
}

/** The probabilities of one query. */
export function rowOf(matrix: Float32Array, size: number, query: number): Float32Array {
  return matrix.subarray(query * size, (query + 1) * size);
}

/** 1 for the largest; equal values share a rank. */
export function rankOf(row: Float32Array, key: number): number {
  let rank = 1;
  for (const value of row) if (value > row[key]) rank++;
  return rank;
}

/** Keys from the most attended down; equal values in reading order. */
export function byWeight(row: Float32Array): number[] {
  return Array.from(row.keys()).sort((a, b) => row[b] - row[a] || a - b);
}

/** The pair worth showing first: between two different words where there are any, else the largest cell. */
export function strongestPair(tokens: string[], matrix: Float32Array): Pair | null {
  const size = tokens.length;
  const largest = (accept: (query: number, key: number) => boolean) => {
    let best: Pair | null = null;
    for (let query = 0; query < size; query++) {
      for (let key = 0; key < size; key++) {
        if (!accept(query, key)) continue;
        if (!best || matrix[query * size + key] > matrix[best.query * size + best.key]) best = { query, key };
      }
    }
    return best;
  };
  const isWord = tokens.map((token) => !isSeparator(token));
  return largest((query, key) => query !== key && isWord[query] && isWord[key]) ?? largest(() => true);
}

/** Two decimals where a number is read in passing; a small weight is not a zero. */
export const short = (weight: number) => (weight > 0 && weight < 0.005 ? '<0.01' : weight.toFixed(2));

/** Without the leading zero, for tight places. */
export const tiny = (weight: number) => weight.toFixed(2).replace(/^0/, '');

export const plain = (weight: number) => (weight > 0 && weight < 0.0005 ? '<0.001' : weight.toFixed(3));

export const exact = (weight: number) => weight.toFixed(4);
