import { engineOf } from '../attention.js';
import { refused } from '../errors.js';
import { emptyWeight, pack } from '../linear-weight.js';
import { operand } from '../operand.js';
import { ResidentTensor } from '../tensor.js';
import type { Attention, FeedForwardWeights, LinearWeight, Tensor } from '../types.js';
import type { Linear, Norm, Table } from './parts.js';
import { quoted } from './safetensors.js';
import { type Found, Tensors } from './tensors.js';
import type { ModelFiles } from './types.js';

/** Half-open range of a tensor's outputs. */
type Part = readonly [from: number, to: number];
type Plain = Exclude<Found, ResidentTensor>;

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
 * A checkpoint's weights, made resident one after the other; what was taken can be given back. Weights of linear layers
 * get their memory at once and their values by fill(), which lets go of the file in the end.
 */
export class Weights {
  readonly #attention: Attention;
  readonly #tensors: Tensors;
  readonly #dtype: 'float32' | 'int8';
  readonly #taken: (Tensor | LinearWeight)[] = [];
  readonly #unfilled: (() => Iterable<void>)[] = [];
  byteLength = 0;

  /** `prefix`: a leading part of names that files have or have not; heads are always outside it. */
  constructor(attention: Attention, tensors: ModelFiles['tensors'], prefix: string, dtype: 'float32' | 'int8') {
    this.#attention = attention;
    this.#tensors = new Tensors(engineOf(attention), tensors, prefix);
    this.#dtype = dtype;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** In float32, whatever the file has: biases, norms, and whatever is added. */
  float32(name: string, shape: readonly number[]): Tensor<'float32'> {
    return this.#keep(this.#attention.tensor(this.#tensors.find(name, shape), 'float32'));
  }

  /** Files of BERT's first years say gamma and beta. */
  norm(name: string, size: number, epsilon: number, hasBias = true): Norm {
    const isOld = this.has(`${name}.gamma`) && !this.has(`${name}.weight`);
    const weight = this.float32(`${name}.${isOld ? 'gamma' : 'weight'}`, [size]);
    if (!hasBias) return { weight, epsilon };
    return { weight, bias: this.float32(`${name}.${isOld ? 'beta' : 'bias'}`, [size]), epsilon };
  }

  /** [out,in] of a linear layer. */
  linearWeight(name: string, shape: readonly number[]): LinearWeight {
    return this.#pack(name, shape, shape, (weight) => weight);
  }

  linear(name: string, outputs: number, inputs: number, hasBias = true): Linear {
    const weight = this.linearWeight(`${name}.weight`, [outputs, inputs]);
    return hasBias ? { weight, bias: this.float32(`${name}.bias`, [outputs]) } : { weight };
  }

  /** GPT-2's Conv1D: the weight is [in,out], and several layers may stand side by side in it. */
  convolution(name: string, outputs: number, inputs: number, [from, to]: Part = [0, outputs]): Linear {
    const transposed = (given: Found) => {
      const { data: values, dtype } = inJavaScript(given);
      const data = new (values.constructor as new (length: number) => Plain['data'])((to - from) * inputs);
      for (let n = from; n < to; n++) {
        for (let k = 0; k < inputs; k++) data[(n - from) * inputs + k] = values[k * outputs + n] as number;
      }
      return { data, shape: [to - from, inputs], dtype };
    };
    const { data, dtype } = inJavaScript(this.#tensors.find(`${name}.bias`, [outputs]));
    const part = { data: data.slice(from, to), shape: [to - from], dtype };
    return {
      weight: this.#pack(`${name}.weight`, [inputs, outputs], [to - from, inputs], transposed),
      bias: this.#keep(this.#attention.tensor(part, 'float32')),
    };
  }

  /** A tensor read as a linear layer's weight of another shape, of as many values. */
  reshaped(name: string, shape: readonly number[], as: readonly number[]): LinearWeight {
    return this.#pack(name, shape, as, (given) => ({ ...inJavaScript(given), shape: as }));
  }

  /** A table of which few rows are read: in the file's own type, or as int8. */
  table(name: string, shape: readonly number[]): Table {
    return this.#dtype === 'int8' ? this.linearWeight(name, shape) : this.fileTable(name, shape);
  }

  /**
   * What tokens go in by and come out by. Where they are tied they are one weight, which a file may hold by any of its
   * names; it may hold copies, too. A head of its own values is used, whatever the config says.
   */
  wordsAndHead(
    names: readonly [string, ...string[]],
    shape: readonly number[],
    isTied: boolean,
  ): { words: Table; head: Linear } {
    const head = 'lm_head.weight';
    const words = [...names, ...(isTied ? [head] : [])].find((name) => this.has(name)) ?? names[0];
    for (const other of names) {
      if (!this.has(other) || other === words || this.#tensors.areSame(words, other, shape)) continue;
      const [own, shared] = [other, words].map((name) => quoted(this.#tensors.nameOf(name)));
      throw refused('files.tensors', `${own} of its own values`, `those of ${shared}`);
    }
    if (!isTied || (this.has(head) && head !== words && !this.#tensors.areSame(words, head, shape))) {
      return { words: this.table(words, shape), head: { weight: this.linearWeight(head, shape) } };
    }
    const weight = this.linearWeight(words, shape);
    return { words: weight, head: { weight } };
  }

  /** A table in the file's own type, if that is float16 or float32. */
  fileTable(name: string, shape: readonly number[]): Tensor {
    return this.#keep(this.#attention.tensor(this.#tensors.find(name, shape)));
  }

  /** Outputs of a matrix whose count no config says. */
  rowsOf(name: string): number {
    return this.#tensors.shapeOf(name)[0] ?? 0;
  }

  /** [size] or [1,size], as float32. */
  vector(name: string, size: number): Tensor<'float32'> {
    const shape = this.#tensors.shapeOf(name).length === 2 ? [1, size] : [size];
    const { data, dtype } = inJavaScript(this.#tensors.find(name, shape));
    return this.#keep(this.#attention.tensor({ data, shape: [size], dtype }, 'float32'));
  }

  /** Takes over a tensor that no file has. */
  own(tensor: Tensor<'float32'>): Tensor<'float32'> {
    return this.#keep(tensor);
  }

  /** Once a family has read all that it reads. */
  refuseUnread(type: string): void {
    this.#tensors.refuseUnread(type);
  }

  /** Gives the weights their values, some at a time: after each the number of weights done, of all. */
  *fill(): Generator<[done: number, total: number]> {
    const total = this.#unfilled.length;
    for (let next = this.#unfilled.shift(); next; next = this.#unfilled.shift()) {
      const done = total - this.#unfilled.length - 1;
      for (const _ of next()) yield [done, total];
    }
    this.#tensors.release();
    yield [total, total];
  }

  dispose(): void {
    this.#unfilled.length = 0;
    this.#tensors.release();
    for (const tensor of this.#taken) tensor.dispose();
  }

  /** The tensor is read again when it is packed: what a getter makes of it shall not wait for its turn. */
  #pack(name: string, shape: readonly number[], as: readonly number[], change: (found: Found) => Found): LinearWeight {
    this.#tensors.find(name, shape);
    const engine = engineOf(this.#attention);
    const packed = emptyWeight(engine, as, this.#dtype);
    this.#taken.push(packed);
    const values = () => engine.detached(operand('weight', change(this.#tensors.find(name, shape))));
    this.#unfilled.push(() => pack(engine, values(), packed));
    this.byteLength += packed.byteLength;
    return packed;
  }

  #keep<T extends Tensor>(tensor: T): T {
    this.#taken.push(tensor);
    this.byteLength += tensor.data.byteLength;
    return tensor;
  }
}

/** Values to be sorted in JavaScript's memory: the engine's grows from weight to weight, and takes views of it away. */
function inJavaScript(found: Found): Plain {
  if (!(found instanceof ResidentTensor)) return found;
  return { data: found.data.slice(), shape: found.shape, dtype: found.dtype };
}
