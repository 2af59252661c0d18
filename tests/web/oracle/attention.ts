import { type Exact, type Numbers, sizeOf, valuesOf } from './values.ts';

/**
 * Scaled dot-product attention as plain loops, for judging the package. With query i of batch b at position p = i + offset_b:
 *
 *   scores[i,j]  = scale · Σ_d q[i,d]·k[j,d]                             key head ⌊h·Hkv/H⌋, scale 1/√D unless given
 *   biased[i,j]  = scores[i,j] + floatMask[i,j], or −∞ where the pair may not attend
 *   lse[i]       = log Σ_j exp(biased[i,j]) over the pairs that may attend, −∞ when there are none
 *   p[i,j]       = exp(biased[i,j] − lse[i]), 0 at masked pairs
 *   output[i,·]  = Σ_j p[i,j]·v[j,·] over the pairs that may attend, so masked keys are never read
 */
export interface OracleOptions {
  layout?: 'BHSD' | 'BSHD';
  numHeads?: number;
  numKvHeads?: number;
  scale?: number;
  causal?: boolean | 'upper-left' | 'lower-right';
  queryOffset?: number | ArrayLike<number | bigint>;
  mask?: Numbers;
  attentionMask?: Numbers;
  kvLengths?: ArrayLike<number | bigint>;
}

export interface OracleResult {
  output: Exact;
  scores: Exact;
  biased: Exact;
  probabilities: Exact;
  logSumExp: Exact;
  /** [B,H,Sq,Skv]: |scale|·Σ|q·k|, what the rounding errors of one score are measured against. */
  magnitude: Exact;
}

/** How a shape lays out batch, heads and positions. */
interface Heads {
  batch: number;
  heads: number;
  length: number;
  size: number;
  /** Where the components of (batch, head, position) begin: they lie side by side in every layout. */
  start(b: number, h: number, s: number): number;
}

function headsOf(shape: readonly number[], count: number | undefined, layout: 'BHSD' | 'BSHD'): Heads {
  const headMajor = (batch: number, H: number, S: number, D: number): Heads => ({
    batch,
    heads: H,
    length: S,
    size: D,
    start: (b, h, s) => ((b * H + h) * S + s) * D,
  });
  const tokenMajor = (batch: number, S: number, H: number, D: number): Heads => ({
    batch,
    heads: H,
    length: S,
    size: D,
    start: (b, h, s) => ((b * S + s) * H + h) * D,
  });
  const [n0 = 0, n1 = 0, n2 = 0, n3 = 0] = shape;
  if (shape.length === 4) return layout === 'BHSD' ? headMajor(n0, n1, n2, n3) : tokenMajor(n0, n1, n2, n3);
  if (shape.length === 3) return count ? tokenMajor(n0, n1, count, n2 / count) : headMajor(1, n0, n1, n2);
  return count ? tokenMajor(1, n0, count, n1 / count) : headMajor(1, 1, n0, n1);
}

function outputShape(q: Numbers, query: Heads, Dv: number, options: OracleOptions): number[] {
  const { batch: B, heads: H, length: Sq } = query;
  if (q.shape.length === 4) return options.layout === 'BSHD' ? [B, Sq, H, Dv] : [B, H, Sq, Dv];
  if (q.shape.length === 3) return options.numHeads ? [B, Sq, H * Dv] : [H, Sq, Dv];
  return [Sq, H * Dv];
}

/** First match wins: queryOffset; 'lower-right' from the number of valid keys; else 0. */
export function offsetOf(b: number, Sq: number, Skv: number, options: OracleOptions): number {
  const given = options.queryOffset;
  if (given !== undefined) return typeof given === 'number' ? given : Number(given[b]);
  if (options.causal === 'lower-right') return Number(options.kvLengths?.[b] ?? Skv) - Sq;
  return 0;
}

/** The mask right-aligned to [B,H,Sq,Skv]: the number to add, or −∞ where it masks. */
function denseBias(mask: Numbers | undefined, Skv: number): (b: number, h: number, i: number, j: number) => number {
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

/** The number added to a score, −∞ for a pair that may not attend: all rules at once. */
export function biasOf(Sq: number, Skv: number, options: OracleOptions) {
  const dense = denseBias(options.mask, Skv);
  const keys = options.attentionMask && valuesOf(options.attentionMask);
  return (b: number, h: number, i: number, j: number): number => {
    if (options.causal && j > i + offsetOf(b, Sq, Skv, options)) return -Infinity;
    if (options.kvLengths && j >= Number(options.kvLengths[b])) return -Infinity;
    if (keys && keys[b * Skv + j] === 0) return -Infinity;
    return dense(b, h, i, j);
  };
}

/** `round` is the precision of each step: exact doubles by default, Math.fround for the plain float32 reference. */
export function attention(
  q: Numbers,
  k: Numbers,
  v: Numbers,
  options: OracleOptions = {},
  round: (x: number) => number = (x) => x,
): OracleResult {
  const layout = options.layout ?? 'BHSD';
  const kvHeads = options.numKvHeads ?? options.numHeads;
  const [query, key, value] = [
    headsOf(q.shape, options.numHeads, layout),
    headsOf(k.shape, kvHeads, layout),
    headsOf(v.shape, kvHeads, layout),
  ];
  const [qs, ks, vs] = [valuesOf(q), valuesOf(k), valuesOf(v)];
  const { batch: B, heads: H, length: Sq, size: D } = query;
  const [Skv, Dv] = [key.length, value.size];
  const scale = options.scale ?? 1 / Math.sqrt(D);
  const bias = biasOf(Sq, Skv, options);

  const pairs = [B, H, Sq, Skv];
  const [scores, biased, probabilities, magnitude] = [zeros(pairs), zeros(pairs), zeros(pairs), zeros(pairs)];
  const logSumExp = zeros([B, H, Sq]);
  const output = zeros(outputShape(q, query, Dv, options));
  const result = headsOf(output.shape, options.numHeads, layout);

  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < Sq; i++) {
        const kvHead = Math.floor((h * key.heads) / H);
        const line = (b * H + h) * Sq + i;
        const atQuery = query.start(b, h, i);
        const row = scores.data.subarray(line * Skv, (line + 1) * Skv);
        const biasedRow = biased.data.subarray(line * Skv, (line + 1) * Skv);
        const attended: number[] = [];
        for (let j = 0; j < Skv; j++) {
          const atKey = key.start(b, kvHead, j);
          let dot = 0;
          let size = 0;
          for (let d = 0; d < D; d++) {
            const product = at(qs, atQuery + d) * at(ks, atKey + d);
            dot = round(dot + round(product));
            size += Math.abs(product);
          }
          const added = bias(b, h, i, j);
          row[j] = round(scale * dot);
          magnitude.data[line * Skv + j] = Math.abs(scale) * size;
          biasedRow[j] = added === -Infinity ? -Infinity : round(at(row, j) + added);
          if (added !== -Infinity) attended.push(j);
        }
        const { p, lse } = softmaxOf(biasedRow, attended, round);
        logSumExp.data[line] = lse;
        probabilities.data.set(p, line * Skv);
        for (let d = 0; d < Dv; d++) {
          let total = 0;
          for (const j of attended) total = round(total + round(at(p, j) * at(vs, value.start(b, kvHead, j) + d)));
          output.data[result.start(b, h, i) + d] = total;
        }
      }
  return { output, scores, biased, probabilities, logSumExp, magnitude };
}

function softmaxOf(row: Float64Array, attended: readonly number[], round: (x: number) => number) {
  const p = new Float64Array(row.length);
  if (attended.length === 0) return { p, lse: -Infinity };
  const max = attended.reduce((most, j) => Math.max(most, at(row, j)), -Infinity); // NaN passes through Math.max
  for (const j of attended) p[j] = round(Math.exp(round(at(row, j) - max)));
  const sum = attended.reduce((total, j) => round(total + at(p, j)), 0);
  for (const j of attended) p[j] = round(at(p, j) / sum);
  return { p, lse: round(max + Math.log(sum)) };
}

const at = (data: Float64Array, index: number): number => data[index] as number;
const zeros = (shape: readonly number[]): Exact => ({ data: new Float64Array(sizeOf(shape)), shape });
