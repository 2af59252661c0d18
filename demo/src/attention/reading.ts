import type { Cut } from '../engine/limits';

/** One text as the model read it. */
export interface Reading {
  text: string;
  tokens: string[];
  heads: number;
  /** Per layer the probabilities [heads, S, S]: row = query, column = key. */
  layers: Float32Array<ArrayBuffer>[];
  cut: Cut | null;
  /** Time of the forward pass; null where it was computed at build time. */
  milliseconds: number | null;
  variant: string | null;
}

/** A reading as it is shown: all tokens, or those that are left when the separators are hidden. */
export interface View {
  tokens: string[];
  /** Where each shown token stands in the reading. */
  positions: number[];
  /** [layer][head] → [n, n], row-major. */
  matrices: Float32Array[][];
}

export function viewOf({ tokens, heads, layers }: Reading): View {
  const cells = tokens.length ** 2;
  const matrices = layers.map((layer) =>
    Array.from({ length: heads }, (_, head) => layer.subarray(head * cells, (head + 1) * cells)),
  );
  return { tokens, positions: tokens.map((_, i) => i), matrices };
}

export const isSeparator = (token: string) => token === '[CLS]' || token === '[SEP]';

/** Rows and columns of the separators dropped; what is left of each row is divided by its sum. */
export function withoutSeparators(view: View): View {
  const kept = view.tokens.flatMap((token, i) => (isSeparator(token) ? [] : [i]));
  return {
    tokens: kept.map((i) => view.tokens[i]),
    positions: kept.map((i) => view.positions[i]),
    matrices: view.matrices.map((heads) => heads.map((matrix) => renormalise(matrix, view.tokens.length, kept))),
  };
}

function renormalise(matrix: Float32Array, size: number, kept: number[]): Float32Array {
  const result = new Float32Array(kept.length ** 2);
  kept.forEach((query, i) => {
    let sum = 0;
    for (const key of kept) sum += matrix[query * size + key];
    // A row that saw nothing but separators has nothing left to divide.
    if (sum === 0) return;
    kept.forEach((key, j) => {
      result[i * kept.length + j] = matrix[query * size + key] / sum;
    });
  });
  return result;
}
