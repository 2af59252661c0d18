import type { Exact } from './values.ts';

export interface MapOptions {
  rows?: readonly [number, number];
  columns?: readonly [number, number];
  size?: readonly [number, number];
  pool?: 'max' | 'mean';
}

/**
 * Probabilities [B,H,Sq,Skv] pooled to [B,H,R,C]: of a range of n, cell r covers ⌊r·n/R⌋ … ⌊(r+1)·n/R⌋ − 1, R at most n and 256 by default;
 * the largest of a cell or the sum of it over the number of its pairs.
 */
export function pooled(probabilities: Exact, options: MapOptions = {}): Exact {
  const [B = 0, H = 0, Sq = 0, Skv = 0] = probabilities.shape;
  const [top, bottom] = options.rows ?? [0, Sq];
  const [left, right] = options.columns ?? [0, Skv];
  const [R, C] = [Math.min(options.size?.[0] ?? 256, bottom - top), Math.min(options.size?.[1] ?? 256, right - left)];
  const data: number[] = [];
  const edge = (start: number, end: number, cells: number, cell: number) =>
    start + Math.floor((cell * (end - start)) / cells);
  for (let bh = 0; bh < B * H; bh++)
    for (let r = 0; r < R; r++)
      for (let c = 0; c < C; c++) {
        const cell: number[] = [];
        for (let i = edge(top, bottom, R, r); i < edge(top, bottom, R, r + 1); i++)
          for (let j = edge(left, right, C, c); j < edge(left, right, C, c + 1); j++)
            cell.push(probabilities.data[(bh * Sq + i) * Skv + j] as number);
        const sum = cell.reduce((a, b) => a + b, 0);
        data.push(options.pool === 'mean' ? sum / cell.length : Math.max(...cell));
      }
  return { data: Float64Array.from(data), shape: [B, H, R, C] };
}
