import { attention, type OracleOptions, type OracleResult } from './attention.ts';
import { type Exact, type Numbers, sizeOf, valuesOf } from './values.ts';

/** How sequence b sees the options of a call: its own numbers and its own part of the masks. */
export type OptionsOf = (b: number, Sq: number, Skv: number) => OracleOptions;

export interface Packed {
  output: Exact;
  /** [H,Tq]. */
  logSumExp: Exact;
  sequences: OracleResult[];
}

/** Sequences end to end, each by itself: q [Tq,H,D], k [Tkv,Hkv,D], v [Tkv,Hkv,Dv], prefix sums of the lengths. */
export function variableLengthAttention(
  [q, k, v]: readonly [Numbers, Numbers, Numbers],
  cuSeqlensQ: readonly number[],
  cuSeqlensKv: readonly number[],
  optionsOf: OptionsOf = () => ({}),
): Packed {
  const [Tq = 0, H = 0] = q.shape;
  const Dv = v.shape[2] as number;
  const output = { data: new Float64Array(Tq * H * Dv), shape: [Tq, H, Dv] };
  const logSumExp = { data: new Float64Array(H * Tq), shape: [H, Tq] };
  const sequences = cuSeqlensQ.slice(1).map((to, b) => {
    const [from, start, end] = [cuSeqlensQ[b], cuSeqlensKv[b], cuSeqlensKv[b + 1]] as [number, number, number];
    const [Sq, Skv] = [to - from, end - start];
    const options = { ...optionsOf(b, Sq, Skv), layout: 'BSHD' } as const;
    const one = attention(tokens(q, from, to), tokens(k, start, end), tokens(v, start, end), options);
    output.data.set(one.output.data, from * H * Dv);
    for (let h = 0; h < H; h++) logSumExp.data.set(one.logSumExp.data.subarray(h * Sq, (h + 1) * Sq), h * Tq + from);
    return one;
  });
  return { output, logSumExp, sequences };
}

/** Tokens from … to − 1 of [T,H,D] as [1,S,H,D]. */
export function tokens(x: Numbers, from: number, to: number): Numbers & { shape: number[]; data: Float32Array } {
  const width = sizeOf(x.shape.slice(1));
  const data = Float32Array.from(valuesOf(x).subarray(from * width, to * width));
  return { data, shape: [1, to - from, ...x.shape.slice(1)] };
}

/** Sequence b's part of a mask that is right-aligned to [B,H,longest Sq,longest Skv], whole: [1,H,Sq,Skv]. */
export function partOf(mask: Numbers, b: number, H: number, Sq: number, Skv: number): Numbers {
  const values = valuesOf(mask);
  const [nb, nh, ni, nj] = [1, 1, 1, 1, ...mask.shape].slice(-4) as [number, number, number, number];
  const at = (n: number, index: number) => (n === 1 ? 0 : index);
  const data: number[] = [];
  for (let h = 0; h < H; h++)
    for (let i = 0; i < Sq; i++)
      for (let j = 0; j < Skv; j++) {
        const padded = nj !== 1 && j >= nj;
        const index = ((at(nb, b) * nh + at(nh, h)) * ni + at(ni, i)) * nj + at(nj, j);
        data.push(padded ? (mask.dtype === 'bool' ? 0 : -Infinity) : (values[index] as number));
      }
  return { data, shape: [1, H, Sq, Skv], ...(mask.dtype === 'bool' && { dtype: 'bool' }) };
}
