import type { ProjectionWeights } from 'attention-wasm';
import { attention, type OracleOptions, type OracleResult } from './attention.ts';
import { erfc } from './erf.ts';
import { type Exact, type Numbers, sizeOf, valuesOf } from './values.ts';

/** GELU(x) = x·Φ(x) = x/2 · erfc(−x/√2): the form without cancellation for negative x. */
export const gelu = (x: number): number => (x === -Infinity ? 0 : (x / 2) * erfc(-x / Math.SQRT2));
export const relu = (x: number): number => (x < 0 ? 0 : x);
/** GPT-2's approximation: x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), as x·σ(2·√(2/π)·(…)): the same without cancellation for negative x. */
export const geluTanh = (x: number): number => x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));
/** x·σ(x), σ(x) = 1/(1 + e^(−x)). */
export const silu = (x: number): number => x * sigmoid(x);
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** ln(1 + e^x), without overflow. */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export function map(x: Numbers, f: (value: number) => number): Exact {
  return { data: valuesOf(x).map(f), shape: x.shape };
}

/** softmax over one axis: exp(x_a − max) / Σ_a exp(x_a − max), for every line along that axis. */
export function softmax(x: Numbers, axis = -1): Exact {
  const data = valuesOf(x);
  const at = axis < 0 ? axis + x.shape.length : axis;
  const length = x.shape[at] as number;
  const inner = sizeOf(x.shape.slice(at + 1));
  for (let outer = 0; outer < sizeOf(x.shape.slice(0, at)); outer++)
    for (let i = 0; i < inner; i++) {
      const where = (a: number) => (outer * length + a) * inner + i;
      let max = -Infinity;
      for (let a = 0; a < length; a++) max = Math.max(max, data[where(a)] as number);
      let sum = 0;
      for (let a = 0; a < length; a++) sum += Math.exp((data[where(a)] as number) - max);
      for (let a = 0; a < length; a++) data[where(a)] = Math.exp((data[where(a)] as number) - max) / sum;
    }
  return { data, shape: x.shape };
}

/** (x − mean)/√(variance + ε)·weight + bias over the axes from `axis` to the last; the variance divides by n. */
export function layerNorm(x: Numbers, weight?: Numbers, bias?: Numbers, { axis = -1, epsilon = 1e-5 } = {}): Exact {
  const data = valuesOf(x);
  const scale = weight && valuesOf(weight);
  const shift = bias && valuesOf(bias);
  const n = sizeOf(x.shape.slice(axis < 0 ? axis + x.shape.length : axis));
  for (let start = 0; start < data.length; start += n) {
    const row = data.subarray(start, start + n);
    const mean = row.reduce((sum, value) => sum + value, 0) / n;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
    for (let i = 0; i < n; i++)
      row[i] = (((row[i] as number) - mean) / Math.sqrt(variance + epsilon)) * (scale?.[i] ?? 1) + (shift?.[i] ?? 0);
  }
  return { data, shape: x.shape };
}

/** x/√(mean(x²) + ε)·weight over the axes from `axis` to the last. */
export function rmsNorm(x: Numbers, weight?: Numbers, { axis = -1, epsilon = 1e-5 } = {}): Exact {
  const data = valuesOf(x);
  const scale = weight && valuesOf(weight);
  const n = sizeOf(x.shape.slice(axis < 0 ? axis + x.shape.length : axis));
  for (let start = 0; start < data.length; start += n) {
    const row = data.subarray(start, start + n);
    const square = row.reduce((sum, value) => sum + value * value, 0) / n;
    for (let i = 0; i < n; i++) row[i] = ((row[i] as number) / Math.sqrt(square + epsilon)) * (scale?.[i] ?? 1);
  }
  return { data, shape: x.shape };
}

/** y[·,o] = Σ_i x[·,i]·weight[o,i] + bias[o]. */
export function linear(x: Numbers, weight: Numbers, bias?: Numbers): Exact {
  const [out = 0, width = 0] = weight.shape;
  const input = valuesOf(x);
  const matrix = valuesOf(weight);
  const shift = bias && valuesOf(bias);
  const shape = [...x.shape.slice(0, -1), out];
  const data = new Float64Array(sizeOf(shape));
  for (let row = 0; row < sizeOf(x.shape.slice(0, -1)); row++)
    for (let o = 0; o < out; o++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += (input[row * width + i] as number) * (matrix[o * width + i] as number);
      data[row * out + o] = sum + (shift?.[o] ?? 0);
    }
  return { data, shape };
}

export const add = (x: Numbers, y: Numbers): Exact => broadcast(x, y, (a, b) => a + b);
export const multiply = (x: Numbers, y: Numbers): Exact => broadcast(x, y, (a, b) => a * b);

/** f(x, y), y's axes aligned to the last of x and repeated where they are 1 or absent; the other way round too. */
function broadcast(x: Numbers, y: Numbers, f: (a: number, b: number) => number): Exact {
  const rank = Math.max(x.shape.length, y.shape.length);
  const padded = (s: readonly number[]) => [...Array(rank - s.length).fill(1), ...s] as number[];
  const [xs, ys] = [padded(x.shape), padded(y.shape)];
  const shape = xs.map((n, axis) => (n === 1 ? (ys[axis] as number) : n));
  const [xv, yv] = [valuesOf(x), valuesOf(y)];
  const data = new Float64Array(sizeOf(shape));
  for (let flat = 0; flat < data.length; flat++) {
    let [rest, xi, yi, xStride, yStride] = [flat, 0, 0, 1, 1];
    for (let axis = rank - 1; axis >= 0; axis--) {
      const index = rest % (shape[axis] as number);
      rest = Math.floor(rest / (shape[axis] as number));
      if (xs[axis] !== 1) xi += index * xStride;
      if (ys[axis] !== 1) yi += index * yStride;
      xStride *= xs[axis] as number;
      yStride *= ys[axis] as number;
    }
    data[flat] = f(xv[xi] as number, yv[yi] as number);
  }
  return { data, shape };
}

export interface FeedForward {
  up: Numbers;
  down: Numbers;
  gate?: Numbers;
  upBias?: Numbers;
  downBias?: Numbers;
  gateBias?: Numbers;
}

/** down(act(up x)), or down(act(gate x) ⊙ up x) with a gate. */
export function feedForward(x: Numbers, w: FeedForward, activation: (value: number) => number): Exact {
  const up = linear(x, w.up, w.upBias);
  if (!w.gate) return linear(map(up, activation), w.down, w.downBias);
  const gate = map(linear(x, w.gate, w.gateBias), activation);
  return linear({ data: up.data.map((u, i) => u * (gate.data[i] as number)), shape: up.shape }, w.down, w.downBias);
}

/** Row r of the table for each id. */
export function embedding(ids: Numbers, table: Numbers): Exact {
  const E = table.shape[1] as number;
  const values = valuesOf(table);
  const rows = valuesOf(ids);
  const data = new Float64Array(rows.length * E);
  rows.forEach((id, i) => {
    data.set(values.subarray(id * E, (id + 1) * E), i * E);
  });
  return { data, shape: [...ids.shape, E] };
}

/** Vaswani et al. 2017, 3.5: PE(p,2i) = sin(p/base^(2i/E)), PE(p,2i+1) = cos(p/base^(2i/E)). */
export function sinusoidalPositions(length: number, size: number, { offset = 0, base = 10000 } = {}): Exact {
  const data = new Float64Array(length * size);
  for (let p = 0; p < length; p++)
    for (let column = 0; column < size; column++) {
      const angle = (p + offset) / base ** ((column - (column % 2)) / size);
      data[p * size + column] = column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  return { data, shape: [length, size] };
}

/** Queries from x, keys and values from the context, packed heads, then the output projection where there is one. */
export function crossAttention(
  x: Numbers,
  context: Numbers,
  w: ProjectionWeights<Numbers>,
  options: OracleOptions = {},
): OracleResult {
  const q = linear(x, w.query, w.queryBias);
  const k = linear(context, w.key, w.keyBias);
  const v = linear(context, w.value, w.valueBias);
  const result = attention(q, k, v, { ...options, numHeads: options.numHeads ?? 1 });
  return { ...result, output: w.output ? linear(result.output, w.output, w.outputBias) : result.output };
}

export const selfAttention = (x: Numbers, w: ProjectionWeights<Numbers>, options: OracleOptions = {}): OracleResult =>
  crossAttention(x, x, w, options);
