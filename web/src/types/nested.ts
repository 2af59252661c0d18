import type { DType, Float16ArrayLike } from './tensors.js';

/** Numbers as arrays of arrays, one level for each axis; a scalar is a number. */
export type NestedNumbers = number | NestedNumbers[];

/** What fromNested() reads: arrays of arrays with a number or a boolean in each place, or typed arrays as rows. */
export type Nested = number | boolean | ArrayLike<number | boolean> | readonly Nested[];

/** A tensor in JavaScript memory: an input of every function. */
export interface ArrayTensor<Data> {
  /** Row-major values; halves as their bits. */
  data: Data extends Float16ArrayLike ? Uint16Array : Data;
  /** Sizes, the outermost axis first. */
  shape: number[];
  /** The same as `shape`. */
  dims: number[];
  /** Element type. */
  dtype: DType | 'float64' | 'int64' | 'uint8';
}

/** The arrays that fromNested() makes, by element type. */
export interface NestedData {
  /** IEEE single floats, 4 bytes each. */
  float32: Float32Array<ArrayBuffer>;
  /** Signed integers, 4 bytes each. */
  int32: Int32Array<ArrayBuffer>;
  /** One byte each: 1 is true, 0 is false. */
  bool: Uint8Array<ArrayBuffer>;
}
