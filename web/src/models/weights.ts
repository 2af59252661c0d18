import { engineOf } from '../attention.js';
import { AttentionError, describe, invalid } from '../errors.js';
import { emptyWeight, pack } from '../linear-weight.js';
import { operand } from '../operand.js';
import { ResidentTensor } from '../tensor.js';
import { bytesOf } from '../typed-arrays.js';
import type { Attention, FeedForwardWeights, LinearWeight, Tensor, TensorLike } from '../types.js';
import type { Linear, Norm, Table } from './parts.js';
import { readSafetensors } from './safetensors.js';
import type { ModelFiles } from './types.js';

/** Half-open range of a tensor's outputs. */
type Part = readonly [from: number, to: number];
type Values = Float32Array | Uint16Array;

/** down(act(up x)), or gated: down(act(gate x) ⊙ up x). */
export function feedForward(up: Linear, down: Linear, gate?: Linear): FeedForwardWeights {
  return {
    up: up.weight,
    down: down.weight,
    ...(up.bias && { upBias: up.bias }),
    ...(down.bias && { downBias: down.bias }),
    ...(gate && { gate: gate.weight }),
    ...(gate?.bias && { gateBias: gate.bias }),
  };
}

/**
 * A checkpoint's tensors by name, made resident one after the other; what was taken can be given back. Weights of linear
 * layers get their memory at once and their values by fill().
 */
export class Weights {
  readonly #attention: Attention;
  readonly #tensors: Readonly<Record<string, TensorLike>>;
  readonly #prefix: string;
  readonly #dtype: 'float32' | 'int8';
  readonly #taken: (Tensor | LinearWeight)[] = [];
  readonly #unfilled: (() => Iterable<void>)[] = [];
  byteLength = 0;

  /** `prefix`: a leading part of names that files have or have not; heads are always outside it. */
  constructor(attention: Attention, tensors: ModelFiles['tensors'], prefix: string, dtype: 'float32' | 'int8') {
    if (tensors === null || typeof tensors !== 'object') throw invalid('files.tensors', tensors, 'tensors or bytes');
    const bytes = bytesOf(tensors);
    this.#attention = attention;
    this.#tensors = bytes ? readSafetensors(bytes) : (tensors as Record<string, TensorLike>);
    this.#prefix = Object.keys(this.#tensors).some((name) => name.startsWith(prefix)) ? prefix : '';
    this.#dtype = dtype;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#tensors, this.#full(name));
  }

  /** In float32, whatever the file has: biases, norms, and whatever is added. */
  float32(name: string, shape: readonly number[]): Tensor<'float32'> {
    const tensor = this.#find(name, shape);
    const { dtype, given } = operand('files.tensors', tensor);
    if (dtype !== 'float32' && dtype !== 'float16') throw this.#wrongType(name, given);
    return this.#keep(this.#attention.tensor(tensor, 'float32'));
  }

  norm(name: string, size: number, epsilon: number): Norm {
    const [weight, bias] = [this.float32(`${name}.weight`, [size]), this.float32(`${name}.bias`, [size])];
    return { weight, bias, epsilon };
  }

  /** [out,in] of a linear layer. */
  linearWeight(name: string, shape: readonly number[]): LinearWeight {
    const weight = this.#find(name, shape);
    return this.#pack(shape, () => weight);
  }

  linear(name: string, outputs: number, inputs: number, hasBias = true): Linear {
    const weight = this.linearWeight(`${name}.weight`, [outputs, inputs]);
    return hasBias ? { weight, bias: this.float32(`${name}.bias`, [outputs]) } : { weight };
  }

  /** GPT-2's Conv1D: the weight is [in,out], and several layers may stand side by side in it. */
  convolution(name: string, outputs: number, inputs: number, [from, to]: Part = [0, outputs]): Linear {
    const values = this.#values(`${name}.weight`, [inputs, outputs]);
    const bias = this.#values(`${name}.bias`, [outputs])();
    const transposed = () => {
      const weight = values();
      const data = new (weight.data.constructor as new (length: number) => Values)((to - from) * inputs);
      for (let n = from; n < to; n++) {
        for (let k = 0; k < inputs; k++) data[(n - from) * inputs + k] = weight.data[k * outputs + n] as number;
      }
      return { data, shape: [to - from, inputs], dtype: weight.dtype };
    };
    const part = { data: bias.data.slice(from, to), shape: [to - from], dtype: bias.dtype };
    return {
      weight: this.#pack([to - from, inputs], transposed),
      bias: this.#keep(this.#attention.tensor(part, 'float32')),
    };
  }

  /** A tensor read as a linear layer's weight of another shape, of as many values. */
  reshaped(name: string, shape: readonly number[], as: readonly number[]): LinearWeight {
    const values = this.#values(name, shape);
    return this.#pack(as, () => ({ ...values(), shape: as }));
  }

  /** A table of which few rows are read: in the file's own type, or as int8. */
  table(name: string, shape: readonly number[]): Table {
    return this.#dtype === 'int8' ? this.linearWeight(name, shape) : this.fileTable(name, shape);
  }

  /** What tokens go in by and come out by: one weight where they are tied. */
  wordsAndHead(name: string, shape: readonly number[], isTied: boolean): { words: Table; head: Linear } {
    if (!isTied)
      return { words: this.table(name, shape), head: { weight: this.linearWeight('lm_head.weight', shape) } };
    const weight = this.linearWeight(name, shape);
    return { words: weight, head: { weight } };
  }

  /** A table in the file's own type. */
  fileTable(name: string, shape: readonly number[]): Tensor {
    const tensor = this.#keep(this.#attention.tensor(this.#find(name, shape)));
    if (tensor.dtype === 'float32' || tensor.dtype === 'float16') return tensor;
    throw this.#wrongType(name, tensor.dtype);
  }

  /** Outputs of a matrix whose count no config says. */
  rowsOf(name: string): number {
    const { shape } = operand('files.tensors', this.#tensors[this.#full(name)]);
    return shape[0] ?? 0;
  }

  /** [size] or [1,size], as float32. */
  vector(name: string, size: number): Tensor<'float32'> {
    const isRow = this.has(name) && operand('files.tensors', this.#tensors[this.#full(name)]).shape.length === 2;
    const { data, dtype } = this.#values(name, isRow ? [1, size] : [size])();
    return this.#keep(this.#attention.tensor({ data, shape: [size], dtype }, 'float32'));
  }

  /** Takes over a tensor that no file has. */
  own(tensor: Tensor<'float32'>): Tensor<'float32'> {
    return this.#keep(tensor);
  }

  /** Gives the weights their values, some at a time: after each the number of weights done, of all. */
  *fill(): Generator<[done: number, total: number]> {
    const total = this.#unfilled.length;
    for (let done = 0; done < total; done++) {
      for (const _ of (this.#unfilled[done] as () => Iterable<void>)()) yield [done, total];
    }
    this.#unfilled.length = 0;
    yield [total, total];
  }

  dispose(): void {
    for (const tensor of this.#taken) tensor.dispose();
  }

  /** Where the name stands: heads are outside the prefix. */
  #full(name: string): string {
    const full = this.#prefix + name;
    return !Object.hasOwn(this.#tensors, full) && Object.hasOwn(this.#tensors, name) ? name : full;
  }

  #pack(shape: readonly number[], values: () => TensorLike): LinearWeight {
    const engine = engineOf(this.#attention);
    const packed = emptyWeight(engine, shape, this.#dtype);
    this.#taken.push(packed);
    this.#unfilled.push(() => pack(engine, engine.detached(operand('weight', values())), packed));
    this.byteLength += packed.byteLength;
    return packed;
  }

  #keep<T extends Tensor>(tensor: T): T {
    this.#taken.push(tensor);
    this.byteLength += tensor.data.byteLength;
    return tensor;
  }

  /**
   * In JavaScript's memory, to be sorted there, when they are asked for: the engine's grows from weight to weight, and takes views of
   * it away.
   */
  #values(name: string, shape: readonly number[]): () => { data: Values; dtype: 'float32' | 'float16' } {
    const { values, dtype } = operand('files.tensors', this.#find(name, shape));
    if (dtype !== 'float32' && dtype !== 'float16') throw this.#wrongType(name, dtype);
    if (values instanceof ResidentTensor) values.addressIn(engineOf(this.#attention), 'files.tensors');
    return () => {
      const data = values instanceof ResidentTensor ? values.data.slice() : values;
      return { data: data instanceof Float64Array ? Float32Array.from(data) : (data as Values), dtype };
    };
  }

  #wrongType(name: string, dtype: string): AttentionError {
    const message = `tensor ${describe(this.#full(name))} is ${dtype}, wanted float32 or float16`;
    return new AttentionError('UNSUPPORTED_DTYPE', 'files.tensors', message);
  }

  #find(name: string, shape: readonly number[]): TensorLike {
    const full = this.#full(name);
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
