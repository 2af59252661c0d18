import { biasOf, type OracleOptions } from './attention-rules.ts';
import { movedBy, wanderOf } from './rounding.ts';
import { type Exact, type Numbers, sizeOf, valuesOf } from './values.ts';

export type { OracleOptions } from './attention-rules.ts';

/**
 * Scaled dot-product attention as plain loops, for judging the package. With query i of batch b at position p = i + offset_b:
 *
 *   scores[i,j]      = scale · Σ_d q[i,d]·k[j,d]                         key head ⌊h·Hkv/H⌋, scale 1/√D unless given
 *   softcapped[i,j]  = c·tanh(scores[i,j]/c)                             the scores themselves without a softcap
 *   biased[i,j]      = softcapped[i,j] − slope_h·|p−j| + floatMask[i,j], or −∞ where the pair may not attend
 *   lse[i]           = log(exp(sink_h) + Σ_j exp(biased[i,j])) over the pairs that may attend, −∞ when there is nothing to add
 *   p[i,j]           = exp(biased[i,j] − lse[i]), 0 at masked pairs
 *   output[i,·]      = Σ_j p[i,j]·v[j,·] over the pairs that may attend, so masked keys are never read
 */
export interface OracleResult {
  output: Exact;
  scores: Exact;
  /** The very scores where there is no softcap. */
  softcapped: Exact;
  biased: Exact;
  probabilities: Exact;
  logSumExp: Exact;
  /** [B,H,Sq,Skv]: |scale|·Σ|q·k|, what the rounding errors of one score are measured against. */
  magnitude: Exact;
  /** [B,H,Sq,Skv]: |slope·(p−j)| + |floatMask|, the same for what is added to it. */
  added: Exact;
  /** [B,H,Sq,Skv] and of the output's shape: how far roundings of the scores move each, in deviations of one (rounding.ts). */
  probabilitySwing: Exact;
  outputSwing: Exact;
}

/** How a shape lays out batch, heads and positions. */
export interface Heads {
  batch: number;
  heads: number;
  length: number;
  size: number;
  /** Where the components of (batch, head, position) begin: they lie side by side in every layout. */
  start(b: number, h: number, s: number): number;
}

export function headsOf(shape: readonly number[], count: number | undefined, layout: 'BHSD' | 'BSHD'): Heads {
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
  const { alibi, mask } = biasOf({ H, Sq, Skv }, options);
  const sinks = options.sinks && valuesOf(options.sinks);

  const pairs = [B, H, Sq, Skv];
  const [scores, biased, probabilities] = [zeros(pairs), zeros(pairs), zeros(pairs)];
  const softcapped = options.softcap ? zeros(pairs) : scores;
  const [magnitude, added] = [zeros(pairs), zeros(pairs)];
  const logSumExp = zeros([B, H, Sq]);
  const output = zeros(outputShape(q, query, Dv, options));
  const [probabilitySwing, outputSwing] = [zeros(pairs), zeros(output.shape)];
  const result = headsOf(output.shape, options.numHeads, layout);

  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < Sq; i++) {
        const kvHead = Math.floor((h * key.heads) / H);
        const line = (b * H + h) * Sq + i;
        const atQuery = query.start(b, h, i);
        const row = biased.data.subarray(line * Skv, (line + 1) * Skv);
        const attended: number[] = [];
        const wander = new Float64Array(Skv);
        for (let j = 0; j < Skv; j++) {
          const pair = line * Skv + j;
          const atKey = key.start(b, kvHead, j);
          let dot = 0;
          let size = 0;
          let squares = 0;
          for (let d = 0; d < D; d++) {
            const product = at(qs, atQuery + d) * at(ks, atKey + d);
            dot = round(dot + round(product));
            size += Math.abs(product);
            squares += 2 * product ** 2 + dot ** 2; // q takes the scale, the product is rounded, and the sum
          }
          const score = round(scale * dot);
          const capped = softcap(score, options.softcap, round);
          const [slope, extra] = [alibi(b, h, i, j), mask(b, h, i, j)];
          scores.data[pair] = score;
          softcapped.data[pair] = capped;
          row[j] = extra === -Infinity ? -Infinity : round(round(capped + round(slope)) + extra);
          magnitude.data[pair] = Math.abs(scale) * size;
          if (extra === -Infinity) continue;
          added.data[pair] = Math.abs(slope) + Math.abs(extra);
          wander[j] = wanderOf({
            dotSquares: scale ** 2 * squares,
            softcapped: capped,
            softcap: options.softcap,
            slope,
            mask: extra,
            biased: at(row, j),
          });
          attended.push(j);
        }
        const sink = sinks?.[h] ?? -Infinity;
        const { p, lse } = softmaxOf(row, attended, sink, round);
        logSumExp.data[line] = lse;
        probabilities.data.set(p, line * Skv);
        const to = result.start(b, h, i);
        for (const j of attended) {
          const from = value.start(b, kvHead, j);
          for (let d = 0; d < Dv; d++)
            output.data[to + d] = round(at(output.data, to + d) + round(at(p, j) * at(vs, from + d)));
        }
        const moved = attended.map((j) => movedBy(at(p, j), at(wander, j)));
        const bySink = movedBy(Math.exp(sink - lse), Math.abs(sink));
        const byAll = moved.reduce((sum, x) => sum + x, bySink);
        for (let d = 0; d < Dv; d++) outputSwing.data[to + d] = bySink * Math.abs(at(output.data, to + d)); // of a value that is 0
        for (const [n, j] of attended.entries()) {
          const byKey = moved[n] as number;
          probabilitySwing.data[line * Skv + j] = (1 - 2 * at(p, j)) * byKey + at(p, j) * byAll; // of a value that is 1, others 0
          const from = value.start(b, kvHead, j);
          for (let d = 0; d < Dv; d++)
            outputSwing.data[to + d] =
              at(outputSwing.data, to + d) + byKey * Math.abs(at(vs, from + d) - at(output.data, to + d));
        }
      }
  return {
    output,
    scores,
    softcapped,
    biased,
    probabilities,
    logSumExp,
    magnitude,
    added,
    probabilitySwing,
    outputSwing,
  };
}

const softcap = (score: number, c: number | undefined, round: (x: number) => number): number =>
  c ? round(c * round(Math.tanh(round(score / c)))) : score;

/** The sink takes part in the maximum and in the denominator, and in nothing else. */
function softmaxOf(row: Float64Array, attended: readonly number[], sink: number, round: (x: number) => number) {
  const p = new Float64Array(row.length);
  if (attended.length === 0) return { p, lse: sink };
  const max = attended.reduce((most, j) => Math.max(most, at(row, j)), sink); // NaN passes through Math.max
  for (const j of attended) p[j] = round(Math.exp(round(at(row, j) - max)));
  const sum = attended.reduce((total, j) => round(total + at(p, j)), round(Math.exp(round(sink - max))));
  for (const j of attended) p[j] = round(at(p, j) / sum);
  return { p, lse: round(max + Math.log(sum)) };
}

const at = (data: Float64Array, index: number): number => data[index] as number;
const zeros = (shape: readonly number[]): Exact => ({ data: new Float64Array(sizeOf(shape)), shape });
