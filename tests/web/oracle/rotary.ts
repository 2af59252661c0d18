import type { RopeScaling } from 'attention-wasm';
import { type Exact, type Numbers, valuesOf } from './values.ts';

/**
 * Rotary positions (Su et al. 2021): pair i of each head is turned by the angle p·f_i, f_i = base^(−2i/dims):
 *
 *   y₁ = x₁·cos − x₂·sin        y₂ = x₂·cos + x₁·sin
 *
 * with the pair (i, i + dims/2), or (2i, 2i + 1) when interleaved; what lies past `dims` is copied.
 */
export interface RotaryOptions {
  layout?: 'BHSD' | 'BSHD';
  numHeads?: number;
  positions?: ArrayLike<number | bigint>;
  base?: number;
  dims?: number;
  interleaved?: boolean;
  cos?: Numbers;
  sin?: Numbers;
  scaling?: RopeScaling;
}

/** f_0 … f_(dims/2 − 1) after scaling. */
export function frequencies(dims: number, base: number, scaling?: RopeScaling): number[] {
  const plain = Array.from({ length: dims / 2 }, (_, i) => base ** ((-2 * i) / dims));
  if (!scaling) return plain;
  if (scaling.type === 'linear') return plain.map((f) => f / scaling.factor);
  if (scaling.type === 'yarn') {
    const kept = yarnShare(dims, base, scaling);
    return plain.map((f, i) => f * (kept[i] as number) + (f / scaling.factor) * (1 - (kept[i] as number)));
  }
  // Llama 3.1: by how many wavelengths fit into the context it was trained on.
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalContext } = scaling;
  return plain.map((f) => {
    const turns = originalContext / ((2 * Math.PI) / f);
    if (turns < low) return f / factor;
    if (turns > high) return f;
    const smooth = (turns - low) / (high - low);
    return (1 - smooth) * (f / factor) + smooth * f;
  });
}

/** YaRN (Peng et al. 2023, 3.2): the share of each frequency that is kept as it is, 1 for those that turn more than betaFast times in the original context. */
function yarnShare(dims: number, base: number, scaling: RopeScaling & { type: 'yarn' }): number[] {
  const { originalContext, betaFast = 32, betaSlow = 1 } = scaling;
  const pairThatTurns = (times: number) =>
    (dims * Math.log(originalContext / (2 * Math.PI * times))) / (2 * Math.log(base));
  const low = Math.max(0, Math.floor(pairThatTurns(betaFast)));
  let high = Math.min(dims - 1, Math.ceil(pairThatTurns(betaSlow)));
  if (low === high) high += 0.001;
  return Array.from({ length: dims / 2 }, (_, i) => 1 - Math.min(1, Math.max(0, (i - low) / (high - low))));
}

/** By which cos and sin are multiplied. */
export const attentionFactor = (scaling?: RopeScaling): number =>
  scaling?.type === 'yarn' ? (scaling.attentionFactor ?? 0.1 * Math.log(scaling.factor) + 1) : 1;

/** Rotated values, and for each Σ|product| that it is the sum of: what its rounding errors are measured against. */
export function rotaryEmbedding(x: Numbers, options: RotaryOptions = {}): Exact & { size: Float64Array } {
  const { numHeads, layout = 'BHSD', positions, base = 10000, interleaved = false } = options;
  const at = axesOf(x.shape, numHeads, layout);
  const { B, H, S, D } = at;
  const dims = options.dims ?? D;
  const f = frequencies(dims, base, options.scaling);
  const gain = attentionFactor(options.scaling);
  const [cosines, sines] = [options.cos && valuesOf(options.cos), options.sin && valuesOf(options.sin)];
  const data = valuesOf(x);
  const size = data.map(Math.abs);

  for (let b = 0; b < B; b++)
    for (let s = 0; s < S; s++) {
      const p = positions ? Number(positions[positions.length === S ? s : b * S + s]) : s;
      for (let i = 0; i < dims / 2; i++) {
        const angle = p * (f[i] as number);
        const perBatch = options.cos?.shape.length === 3;
        const row = positions ? p : perBatch ? b * S + s : s;
        const c = cosines ? (cosines[row * (dims / 2) + i] as number) : gain * Math.cos(angle);
        const n = sines ? (sines[row * (dims / 2) + i] as number) : gain * Math.sin(angle);
        for (let h = 0; h < H; h++) {
          const start = at.start(b, h, s);
          const [one, two] = interleaved ? [start + 2 * i, start + 2 * i + 1] : [start + i, start + i + dims / 2];
          const [x1, x2] = [data[one] as number, data[two] as number];
          data[one] = x1 * c - x2 * n;
          data[two] = x2 * c + x1 * n;
          size[one] = Math.abs(x1 * c) + Math.abs(x2 * n);
          size[two] = Math.abs(x2 * c) + Math.abs(x1 * n);
        }
      }
    }
  return { data, shape: x.shape, size };
}

interface Axes {
  B: number;
  H: number;
  S: number;
  D: number;
  start(b: number, h: number, s: number): number;
}

/** [S,D], [S,H·D], [H,S,D], [B,S,H·D], BHSD, BSHD. */
function axesOf(shape: readonly number[], numHeads: number | undefined, layout: 'BHSD' | 'BSHD'): Axes {
  const [B, one, two, width] = [1, 1, 1, 1, ...shape].slice(-4) as [number, number, number, number];
  const packed = numHeads !== undefined && shape.length < 4;
  if (packed || (shape.length === 4 && layout === 'BSHD')) {
    const [batch, S] = packed ? [one, two] : [B, one];
    const H = packed ? numHeads : two;
    const D = packed ? width / H : width;
    return { B: batch, H, S, D, start: (b, h, s) => ((b * S + s) * H + h) * D };
  }
  return { B, H: one, S: two, D: width, start: (b, h, s) => ((b * one + h) * two + s) * width };
}
