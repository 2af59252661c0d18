import type { Engine } from '../engine.js';
import { AttentionError, refused } from '../errors.js';
import { operand } from '../operand.js';
import { ResidentTensor } from '../tensor.js';
import { bytesOf } from '../typed-arrays.js';
import type { TensorLike } from '../types.js';
import { quoted, readSafetensors } from './safetensors.js';
import type { ModelFiles } from './types.js';

/** A float tensor as it was given: in JavaScript's memory, or in the engine's. */
export type Found =
  | ResidentTensor<'float32' | 'float16'>
  | {
      readonly data: Float32Array | Float64Array | Uint16Array;
      readonly shape: readonly number[];
      readonly dtype: 'float32' | 'float64' | 'float16' | 'bfloat16';
    };

/** Heads, which stand outside the leading part of a model's other names. */
const head = /^(lm_head|classifier|final_logits_bias)\b/;
/** Names of tensors of one layer. */
const ofLayer = /(^|\.)(layers?|h)\.\d+\./;
/** Tensors of layers that no model needs to read: what they hold is made anew. */
const buffers = [
  /\.attn\.(bias|masked_bias)$/, // GPT-2: the causal mask, and what stands in the place of its -Infinity
  /\.rotary_emb\.(inv_freq|cos_cached|sin_cached)$/, // Llama: frequencies and angles of rotary positions
  /\.position_ids$/, // 0, 1, 2, …
];

/** The tensors of a checkpoint, found by the names that families have for them. */
export class Tensors {
  readonly #engine: Engine;
  readonly #prefix: string;
  readonly #read = new Set<string>();
  #all: Readonly<Record<string, TensorLike>>;

  /** `prefix`: a leading part of names that files have or have not. */
  constructor(engine: Engine, given: ModelFiles['tensors'], prefix: string) {
    this.#engine = engine;
    this.#all = bytesOf(given) ? readSafetensors(given as Uint8Array) : (given as Record<string, TensorLike>);
    this.#prefix = Object.keys(this.#all).some((name) => name.startsWith(prefix)) ? prefix : '';
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#all, this.nameOf(name));
  }

  /** The name as the file has it, or should have it. */
  nameOf(name: string): string {
    const [usual, other] = head.test(name) ? [name, this.#prefix + name] : [this.#prefix + name, name];
    return !Object.hasOwn(this.#all, usual) && Object.hasOwn(this.#all, other) ? other : usual;
  }

  shapeOf(name: string): readonly number[] {
    return this.has(name) ? operand('files.tensors', this.#all[this.nameOf(name)]).shape : [];
  }

  /** @throws AttentionError naming a tensor that is not there, or is of another shape, or does not hold floats. */
  find(name: string, shape: readonly number[]): Found {
    const full = this.nameOf(name);
    if (!this.has(name)) {
      throw new AttentionError('INVALID_ARGUMENT', 'files.tensors', `wanted a tensor ${quoted(full)}, got none`);
    }
    this.#read.add(full);
    const { values, shape: got, dtype, given } = operand(`files.tensors[${quoted(full)}]`, this.#all[full]);
    if (got.length !== shape.length || got.some((dim, axis) => dim !== shape[axis])) {
      const message = `tensor ${quoted(full)} has shape [${got}], wanted [${shape}]`;
      throw new AttentionError('SHAPE_MISMATCH', 'files.tensors', message);
    }
    if (dtype !== 'float32' && dtype !== 'float16') {
      const message = `tensor ${quoted(full)} is ${given}, wanted float32, float64, float16 or bfloat16`;
      throw new AttentionError('UNSUPPORTED_DTYPE', 'files.tensors', message);
    }
    if (!(values instanceof ResidentTensor)) return { data: values, shape: got, dtype: given } as Found;
    values.addressIn(this.#engine, 'files.tensors');
    return values as Found;
  }

  /** Whether two tensors of one shape hold the same. */
  areSame(name: string, other: string, shape: readonly number[]): boolean {
    const [a, b] = [this.find(name, shape), this.find(other, shape)];
    if (a.dtype !== b.dtype) return false;
    const [{ data: left }, { data: right }] = [a, b];
    for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
    return true;
  }

  /** @throws AttentionError INVALID_ARGUMENT naming tensors of layers that nothing has read: it is another model's file. */
  refuseUnread(type: string): void {
    const isUnread = (name: string) =>
      ofLayer.test(name) && !this.#read.has(name) && !buffers.some((buffer) => buffer.test(name));
    const [first, ...others] = Object.keys(this.#all).filter(isUnread);
    if (first === undefined) return;
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    const wanted = `only tensors of layers that a ${type} model of this config computes with`;
    throw refused('files.tensors', `${quoted(first)}${more}`, wanted);
  }

  /** Lets go of the file. */
  release(): void {
    this.#all = {};
  }
}
