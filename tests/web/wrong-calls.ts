import type { Attention, AttentionErrorCode } from 'attention-wasm';
import { type Plain, Random } from './random.ts';

/** One wrong call: what it throws, and what its message must say of what came and what was wanted (the argument is asked for too). */
export type Wrong = [
  what: string,
  call: (engine: Attention) => unknown,
  code: AttentionErrorCode,
  argument: string | RegExp,
  ...says: (string | number | RegExp)[],
];

const random = new Random(10);
export const f32 = (...shape: number[]): Plain => random.tensor(shape);
export const any = (value: unknown) => value as never;
export const bool = (...shape: number[]): Plain => ({
  data: new Uint8Array(shape.reduce((a, b) => a * b, 1)).fill(1),
  shape,
  dtype: 'bool',
});
/** What is left of an array whose buffer went elsewhere, as views do when memory grows. */
export function detached(...shape: number[]): Plain {
  const { data } = f32(...shape);
  structuredClone(data, { transfer: [data.buffer as ArrayBuffer] });
  return { data, shape };
}
export type Inputs = [q: Plain, k: Plain, v: Plain];
export const sdpa =
  (options: object, inputs: Inputs = [f32(2, 3, 4, 8), f32(2, 3, 6, 8), f32(2, 3, 6, 5)]) =>
  (e: Attention) =>
    e.scaledDotProductAttention(...inputs, any(options));
export const of3 =
  (q: unknown, k: unknown, v: unknown, options: object = {}) =>
  (e: Attention) =>
    e.scaledDotProductAttention(any(q), any(k), any(v), any(options));

export const shape = 'SHAPE_MISMATCH';
export const invalid = 'INVALID_ARGUMENT';
export const dtype = 'UNSUPPORTED_DTYPE';
