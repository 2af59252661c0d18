import { type Exact, type Numbers, sizeOf, valuesOf } from './values.ts';

export interface LinearOptions {
  causal?: boolean;
  featureMap?: 'elu+1' | 'relu';
  layout?: 'BHSD' | 'BSHD';
  numHeads?: number;
  numKvHeads?: number;
}

const features = {
  'elu+1': (x: number) => (x > 0 ? x + 1 : Math.exp(x)),
  relu: (x: number) => (x < 0 ? 0 : x),
};

/**
 * Katharopoulos et al. 2020 as a weighted mean over the keys seen, all of them or j ≤ i when causal:
 *
 *   w[i,j] = φ(q[i])·φ(k[j])        output[i] = Σ_j w[i,j]·v[j] / Σ_j w[i,j], zeros where the denominator is 0
 *
 * `size` is Σ_j w[i,j]·|v[j]| / Σ_j w[i,j]: weights are never negative, so this is what rounding errors are measured against.
 */
export function linearAttention(
  q: Numbers,
  k: Numbers,
  v: Numbers,
  options: LinearOptions = {},
): Exact & { size: Float64Array } {
  const { causal = false, featureMap = 'elu+1', layout = 'BHSD', numHeads, numKvHeads = numHeads } = options;
  const phi = features[featureMap];
  const [query, key, value] = [split(q, numHeads, layout), split(k, numKvHeads, layout), split(v, numKvHeads, layout)];
  const { B, H, S, D } = query;
  const shape = resultShape(q.shape, H, value.D, numHeads);
  const data = new Float64Array(sizeOf(shape));
  const size = data.slice();
  const out = split({ data, shape }, numHeads, layout);

  const [fq, fk] = [query.values.map(phi), key.values.map(phi)];
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < S; i++) {
        const shared = Math.floor((h * key.H) / H);
        const row = out.start(b, h, i);
        let sum = 0;
        for (let j = 0; j < (causal ? Math.min(i + 1, key.S) : key.S); j++) {
          const [atQuery, atKey, atValue] = [query.start(b, h, i), key.start(b, shared, j), value.start(b, shared, j)];
          let w = 0;
          for (let d = 0; d < D; d++) w += (fq[atQuery + d] as number) * (fk[atKey + d] as number);
          sum += w;
          for (let d = 0; d < value.D; d++) {
            const v = value.values[atValue + d] as number;
            data[row + d] = (data[row + d] as number) + w * v;
            size[row + d] = (size[row + d] as number) + w * Math.abs(v);
          }
        }
        for (const totals of [data, size])
          for (let d = 0; d < value.D; d++) totals[row + d] = sum === 0 ? 0 : (totals[row + d] as number) / sum;
      }
  return { data, shape, size };
}

/** Any layout as (batch, head, position, component). */
function split(x: Numbers, numHeads: number | undefined, layout: 'BHSD' | 'BSHD') {
  const values = valuesOf(x);
  const [n0, n1, n2, n3] = [1, 1, 1, 1, ...x.shape].slice(-4) as [number, number, number, number];
  const packed = x.shape.length < 4 && numHeads !== undefined;
  const tokenMajor = packed || (x.shape.length === 4 && layout === 'BSHD');
  const B = packed ? n1 : n0;
  const S = packed ? n2 : tokenMajor ? n1 : n2;
  const H = packed ? numHeads : tokenMajor ? n2 : n1;
  const D = packed ? n3 / numHeads : n3;
  const start = (b: number, h: number, s: number) => (tokenMajor ? (b * S + s) * H + h : (b * H + h) * S + s) * D;
  return { values, B, H, S, D, start };
}

function resultShape(q: readonly number[], H: number, Dv: number, numHeads: number | undefined): number[] {
  return [...q.slice(0, -1), q.length < 4 && numHeads !== undefined ? H * Dv : Dv];
}
