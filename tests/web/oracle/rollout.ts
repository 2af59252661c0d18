import { type Exact, type Numbers, valuesOf } from './values.ts';

/**
 * Attention rollout (Abnar & Zuidema 2020): Â_L · … · Â_1. Each layer [H,S,S] or [B,H,S,S] is fused over its heads to A; Â is
 * (A + I)/2 with every row divided by its sum, or A with every row divided by its sum without the residual. A row of zeros stays one.
 */
export function attentionRollout(
  layers: readonly Numbers[],
  { headFusion = 'mean' as 'mean' | 'max' | 'min', residual = true } = {},
): Exact {
  const shape = (layers[0] as Numbers).shape;
  const [B, H, S] =
    shape.length === 4 ? (shape as [number, number, number]) : [1, shape[0] as number, shape[1] as number];
  const data = new Float64Array(B * S * S);
  for (let b = 0; b < B; b++) {
    let rolled = identity(S);
    for (const layer of layers) {
      const values = valuesOf(layer).subarray(b * H * S * S, (b + 1) * H * S * S);
      rolled = product(normalised(fused(values, H, S, headFusion), S, residual), rolled, S);
    }
    data.set(rolled, b * S * S);
  }
  return { data, shape: shape.length === 4 ? [B, S, S] : [S, S] };
}

function fused(values: Float64Array, H: number, S: number, how: 'mean' | 'max' | 'min'): Float64Array {
  const A = new Float64Array(S * S);
  for (let pair = 0; pair < S * S; pair++) {
    const heads = Array.from({ length: H }, (_, h) => values[h * S * S + pair] as number);
    if (how === 'mean') A[pair] = heads.reduce((a, b) => a + b, 0) / H;
    else A[pair] = how === 'max' ? Math.max(...heads) : Math.min(...heads);
  }
  return A;
}

function normalised(A: Float64Array, S: number, residual: boolean): Float64Array {
  for (let i = 0; i < S; i++) {
    const row = A.subarray(i * S, (i + 1) * S);
    if (residual) for (let j = 0; j < S; j++) row[j] = ((row[j] as number) + (i === j ? 1 : 0)) / 2;
    const sum = row.reduce((a, b) => a + b, 0);
    if (sum !== 0) for (let j = 0; j < S; j++) row[j] = (row[j] as number) / sum;
  }
  return A;
}

function product(left: Float64Array, right: Float64Array, S: number): Float64Array {
  const out = new Float64Array(S * S);
  for (let i = 0; i < S; i++)
    for (let j = 0; j < S; j++)
      for (let n = 0; n < S; n++)
        out[i * S + j] = (out[i * S + j] as number) + (left[i * S + n] as number) * (right[n * S + j] as number);
  return out;
}

const identity = (S: number): Float64Array =>
  Float64Array.from({ length: S * S }, (_, n) => (Math.floor(n / S) === n % S ? 1 : 0));
