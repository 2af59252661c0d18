import { attention, type OracleOptions, type OracleResult } from './attention.ts';
import { linear } from './layers.ts';
import { type Exact, type Numbers, valuesOf } from './values.ts';

export interface MultiHead {
  embedDim: number;
  numHeads: number;
  numKvHeads?: number;
  kdim?: number;
  vdim?: number;
}

/** Rows from … to − 1 of a matrix, or those entries of a vector. */
function rows(x: Numbers | undefined, from: number, to: number): Numbers | undefined {
  if (!x) return undefined;
  const [, width = 1] = x.shape;
  return { data: valuesOf(x).subarray(from * width, to * width), shape: [to - from, ...x.shape.slice(1)] };
}

/**
 * torch.nn.MultiheadAttention, batch first: head_i = Attention(Q·W_i^Q, K·W_i^K, V·W_i^V), and the heads side by side through
 * out_proj. in_proj_weight stacks the rows of query, key and value, as in_proj_bias always does; with sizes of their own they are
 * q_proj_weight, k_proj_weight and v_proj_weight. Fewer key heads make those parts shorter.
 */
export function multiHeadAttention(
  { embedDim: E, numHeads: H, numKvHeads: Hkv = H }: MultiHead,
  weights: Readonly<Record<string, Numbers>>,
  [query, key, value]: readonly [Numbers, Numbers, Numbers],
  options: OracleOptions = {},
): OracleResult & { averaged(stage: 'scores' | 'softcapped' | 'biased' | 'probabilities'): Exact } {
  const D = E / H;
  const [q, k, v] = [E, E + Hkv * D, E + 2 * Hkv * D];
  const { in_proj_weight: packed, in_proj_bias: bias } = weights;
  const wq = weights.q_proj_weight ?? (rows(packed, 0, q) as Numbers);
  const wk = weights.k_proj_weight ?? (rows(packed, q, k) as Numbers);
  const wv = weights.v_proj_weight ?? (rows(packed, k, v) as Numbers);
  const inside = attention(
    linear(query, wq, rows(bias, 0, q)),
    linear(key, wk, rows(bias, q, k)),
    linear(value, wv, rows(bias, k, v)),
    { ...options, numHeads: H, numKvHeads: Hkv },
  );
  const output = linear(inside.output, weights['out_proj.weight'] as Numbers, weights['out_proj.bias']);
  return { ...inside, output, averaged: (stage) => meanOfHeads(inside[stage]) };
}

function meanOfHeads({ data, shape }: Exact): Exact {
  const [B = 0, H = 0, Sq = 0, Skv = 0] = shape;
  const mean = new Float64Array(B * Sq * Skv);
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let pair = 0; pair < Sq * Skv; pair++)
        mean[b * Sq * Skv + pair] =
          (mean[b * Sq * Skv + pair] as number) + (data[(b * H + h) * Sq * Skv + pair] as number) / H;
  return { data: mean, shape: [B, Sq, Skv] };
}
