import { AttentionError, describe, invalid } from '../errors.js';
import { operand } from '../operand.js';
import type { Attention, LinearWeight, Tensor, TensorLike } from '../types.js';
import { readSafetensors } from './safetensors.js';
import type { ModelFiles } from './types.js';

/** A checkpoint's tensors by name, made resident one after the other; what was taken can be given back. */
export class Weights {
  readonly #attention: Attention;
  readonly #tensors: Readonly<Record<string, TensorLike>>;
  readonly #prefix: string;
  readonly #taken: (Tensor | LinearWeight)[] = [];
  byteLength = 0;

  /** `prefix`: a leading part of every name that files have or have not. */
  constructor(attention: Attention, tensors: ModelFiles['tensors'], prefix: string) {
    if (tensors === null || typeof tensors !== 'object') throw invalid('files.tensors', tensors, 'tensors or bytes');
    const isBytes = tensors instanceof ArrayBuffer || tensors instanceof Uint8Array;
    this.#attention = attention;
    this.#tensors = isBytes ? readSafetensors(tensors) : tensors;
    this.#prefix = Object.keys(this.#tensors).some((name) => name.startsWith(prefix)) ? prefix : '';
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#tensors, this.#prefix + name);
  }

  /** In float32, whatever the file has: for weights that are multiplied with. */
  float32(name: string, shape: readonly number[]): Tensor<'float32'> {
    return this.#keep(this.#attention.tensor(this.#find(name, shape), 'float32'));
  }

  /** Of a linear layer, in float32. */
  linear(name: string, shape: readonly number[]): LinearWeight {
    const weight = this.#attention.linearWeight(this.#find(name, shape));
    this.#taken.push(weight);
    this.byteLength += weight.byteLength;
    return weight;
  }

  /** In the file's own type, float32 or float16: for tables of which few rows are read. */
  table(name: string, shape: readonly number[]): Tensor {
    const tensor = this.#keep(this.#attention.tensor(this.#find(name, shape)));
    if (tensor.dtype === 'float32' || tensor.dtype === 'float16') return tensor;
    const message = `tensor ${describe(name)} is ${tensor.dtype}, wanted float32 or float16`;
    throw new AttentionError('UNSUPPORTED_DTYPE', 'files.tensors', message);
  }

  dispose(): void {
    for (const tensor of this.#taken) tensor.dispose();
  }

  #keep<T extends Tensor>(tensor: T): T {
    this.#taken.push(tensor);
    this.byteLength += tensor.data.byteLength;
    return tensor;
  }

  #find(name: string, shape: readonly number[]): TensorLike {
    const full = this.#prefix + name;
    if (!this.has(name)) {
      throw new AttentionError('INVALID_ARGUMENT', 'files.tensors', `wanted a tensor ${describe(full)}, got none`);
    }
    const tensor = this.#tensors[full] as TensorLike;
    const { shape: got } = operand(`files.tensors[${describe(full)}]`, tensor);
    if (got.length !== shape.length || got.some((dim, axis) => dim !== shape[axis])) {
      const message = `tensor ${describe(full)} has shape [${got}], wanted [${shape}]`;
      throw new AttentionError('SHAPE_MISMATCH', 'files.tensors', message);
    }
    return tensor;
  }
}
