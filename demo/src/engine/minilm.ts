import { Tokenizer } from '@huggingface/tokenizers';
import type { Attention, TensorLike } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import type { Encoded } from './limits';
import type { ModelInfo } from './protocol';

/** A model with what turns text into its ids. */
export interface Loaded {
  model: Model;
  info: ModelInfo;
  encode(text: string): Encoded;
  /** Of one's own model: the text with more tokens behind it, which it is then read by. */
  extend?(text: string, ids: readonly number[], more: readonly number[]): string;
  /** How many ids there are, where the text is token ids. */
  vocabulary?: number;
}

export interface MinilmFiles {
  config: { model_type: string; [key: string]: unknown };
  tokenizer: object;
  tensors: Uint8Array | Readonly<Record<string, TensorLike>>;
  weights: 'int8' | 'float16';
}

export function openMinilm(attention: Attention, { config, tokenizer, tensors, weights }: MinilmFiles): Loaded {
  const options = weights === 'int8' ? { weights: 'int8' as const } : {};
  const model = createModel(attention, { config, tensors }, options);
  const encoder = unpadded(tokenizer);
  return { model, info: infoOf(model, 'all-MiniLM-L6-v2', weights), encode: (text) => encoder.encode(text) };
}

/** Tokenizer files may pad every text to one length and cut it there in silence. */
export function unpadded(tokenizer: object): Tokenizer {
  return new Tokenizer({ ...tokenizer, padding: null, truncation: null }, {});
}

const decoders = new Set(['gpt2', 'llama']);

export function infoOf(model: Model, title: string, weights: ModelInfo['weights']): ModelInfo {
  const { type, layers, heads, maxLength, byteLength } = model;
  return { title, type, layers, heads, maxLength, bytes: byteLength, isDecoder: decoders.has(type), weights };
}
