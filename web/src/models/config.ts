import { finite, integer, oneOf } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import { epsilonOf } from '../layers.js';
import type { ModelFiles } from './types.js';

/** Keys of Hugging Face's config.json that change nothing of what a model computes here. */
const inert = new Set([
  ...['_name_or_path', '_commit_hash', '_num_labels', 'architectures', 'auto_map', 'model_type', 'prefix'],
  ...['torch_dtype', 'dtype', 'transformers_version', 'tokenizer_class', '_attn_implementation', 'attn_implementation'],
  ...['_attn_implementation_autoset', 'initializer_range', 'initializer_factor', 'init_std', 'use_cache'],
  ...['gradient_checkpointing', 'torchscript', 'use_bfloat16', 'pruned_heads', 'chunk_size_feed_forward'],
  ...['bos_token_id', 'eos_token_id', 'pad_token_id', 'sep_token_id', 'cls_token_id', 'unk_token_id', 'mask_token_id'],
  ...['decoder_start_token_id', 'forced_eos_token_id'],
  ...['id2label', 'label2id', 'num_labels', 'problem_type', 'finetuning_task'],
  ...['task_specific_params', 'return_dict', 'output_attentions', 'output_hidden_states', 'output_past'],
  ...['output_scores', 'return_dict_in_generate', 'tf_legacy_loss', 'tie_encoder_decoder', 'is_encoder_decoder'],
  ...['max_length', 'do_sample', 'early_stopping', 'num_beams', 'num_beam_groups', 'diversity_penalty'],
  ...['temperature', 'top_k', 'top_p', 'typical_p', 'length_penalty'],
  ...['num_return_sequences', 'exponential_decay_length_penalty'],
  ...['remove_invalid_values', 'pretraining_tp', 'transformers.js_config'],
]);
/** Keys that would change what is written, and what they are where they do not. */
const neutral: Readonly<Record<string, unknown>> = {
  suppress_tokens: [],
  begin_suppress_tokens: [],
  repetition_penalty: 1,
  no_repeat_ngram_size: 0,
  encoder_no_repeat_ngram_size: 0,
  min_length: 0,
};
/** Dropout does nothing where nothing is trained; GPT-2's summaries are of heads that are not read. */
const inertPattern = /dropout|pdrop$|layerdrop|^summary_/;

/** Names of activations in checkpoints. */
const activations = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
} as const;

/** A parsed config.json whose every key must be read or be known to change nothing. */
export class Config {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();

  constructor(config: ModelFiles['config']) {
    if (config === null || typeof config !== 'object') throw invalid('files.config', config, 'a parsed config.json');
    this.#values = config;
  }

  /** A count from 1 on; without a default it must be there. */
  size(key: string, standard?: number): number {
    return integer(name(key), this.#value(key) ?? standard, 1);
  }

  /** Above 0. */
  number(key: string, standard: number): number {
    return positive(name(key), this.#value(key) ?? standard);
  }

  /** A norm's. */
  epsilon(key: string, standard: number): number {
    return epsilonOf(name(key), this.number(key, standard));
  }

  flag(key: string, standard: boolean): boolean {
    return this.choice(key, [false, true], standard);
  }

  choice<T>(key: string, allowed: readonly T[], standard?: T): T {
    return oneOf(name(key), this.#value(key) ?? standard, allowed);
  }

  activation(key: string, standard: keyof typeof activations): (typeof activations)[keyof typeof activations] {
    return activations[this.choice(key, Object.keys(activations) as (keyof typeof activations)[], standard)];
  }

  /** Refused where it says anything but what is built. */
  only(key: string, ...built: readonly unknown[]): void {
    const value = this.#value(key);
    if (value === undefined) return;
    if (built.length === 0) throw invalid(name(key), value, 'none');
    oneOf(name(key), value, built);
  }

  /** Keys that say nothing new. */
  ignore(...keys: string[]): void {
    for (const key of keys) this.#read.add(key);
  }

  /** A part of the config that is one itself. */
  record(key: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw invalid(name(key), value, 'an object');
    return value as Record<string, unknown>;
  }

  /** One id, several, or none. */
  ids(key: string): number[] {
    const value = this.#value(key) ?? [];
    return (Array.isArray(value) ? value : [value]).map((id) => integer(name(key), id, 0));
  }

  /** Ids that a text of this model ends with, and those that it never has. */
  textEnds(): { stop: number[]; never: number[] } {
    this.only('forced_bos_token_id');
    const never = this.#value('bad_words_ids') ?? [];
    const isWord = (word: unknown) => Array.isArray(word) && word.length === 1;
    if (!Array.isArray(never) || !never.every(isWord))
      throw invalid(name('bad_words_ids'), never, 'lists of one id each');
    return {
      stop: this.ids('eos_token_id'),
      never: never.map(([id]) => integer(name('bad_words_ids'), id, 0)),
    };
  }

  id(key: string, standard?: number): number {
    return integer(name(key), this.#value(key) ?? standard, 0);
  }

  /** @throws AttentionError INVALID_ARGUMENT naming a key that nothing has read. What is null or false asks for nothing. */
  refuseUnread(): void {
    for (const [key, value] of Object.entries(this.#values)) {
      if (this.#read.has(key) || inert.has(key) || inertPattern.test(key)) continue;
      if (value === null || value === undefined || value === false) continue;
      if (Object.hasOwn(neutral, key) && String(neutral[key]) === String(value)) continue;
      throw new AttentionError('INVALID_ARGUMENT', name(key), 'is an option that this version does not know');
    }
  }

  /** null means absent. */
  #value(key: string): unknown {
    this.#read.add(key);
    return this.#values[key] ?? undefined;
  }
}

/** A finite number above 0. */
export function positive(argument: string, value: unknown): number {
  const number = finite(argument, value as number);
  if (number > 0) return number;
  throw invalid(argument, value, 'above 0');
}

function name(key: string): string {
  return `files.config.${key}`;
}
