import { finite, integer, oneOf } from '../arguments.js';
import { AttentionError, describe, invalid, refused } from '../errors.js';
import { epsilonOf } from '../layers.js';
import { generationKeys, isInert } from './config-keys.js';
import type { Checkpoint } from './parts.js';
import type { ModelFiles } from './types.js';

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

/** A parsed config.json whose every key must be read, be known to change nothing, or be ignored by the caller's wish. */
export class Config {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #ignored: readonly string[];
  readonly #read = new Set<string>();
  readonly #inert = new Set<string>();

  constructor(config: ModelFiles['config'], ignored: readonly string[] = []) {
    this.#values = config;
    this.#ignored = ignored;
  }

  /** A count from 1 on; without a default it must be there. */
  size(key: string, standard?: number): number {
    return integer(name(key), this.#value(key) ?? standard, 1);
  }

  /** The size of a square: one size, or two that are equal. */
  side(key: string, standard: number): number {
    const value = this.#value(key);
    if (!Array.isArray(value)) return this.size(key, standard);
    const [height, width] = value.map((size) => integer(name(key), size, 1));
    if (value.length === 2 && height === width) return height as number;
    throw refused(name(key), `[${value.map(describe)}]`, 'one size, or two equal ones');
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
    for (const key of keys) this.#inert.add(key);
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

  /** Ids that a text of this model ends with, those that it never has, and keys of which generate() knows no more. */
  textEnds(): Pick<Checkpoint, 'stop' | 'never' | 'unwritten'> {
    const asked = generationKeys(this.#values).filter((key) => !this.#ignored.includes(key));
    const { bad_words_ids: words } = this.#values;
    const isId = (word: unknown) =>
      Array.isArray(word) && word.length === 1 && Number.isInteger(word[0]) && word[0] >= 0;
    const isBuilt = asked.includes('bad_words_ids') && Array.isArray(words) && words.every(isId);
    return {
      stop: this.ids('eos_token_id'),
      never: isBuilt ? words.flat() : [],
      unwritten: asked.filter((key) => key !== 'bad_words_ids' || !isBuilt),
    };
  }

  id(key: string, standard?: number): number {
    return integer(name(key), this.#value(key) ?? standard, 0);
  }

  /** @throws AttentionError INVALID_ARGUMENT naming all keys that nothing has read, or a key that is ignored in vain. */
  refuseUnread(type: string): void {
    for (const key of this.#ignored) {
      if (!Object.hasOwn(this.#values, key)) throw invalid('options.ignore', key, 'keys that config.json has');
      if (this.#read.has(key)) throw invalid('options.ignore', key, `keys that a ${type} model does not read`);
    }
    const isKnown = (key: string) => this.#read.has(key) || this.#inert.has(key) || this.#ignored.includes(key);
    const unknown = Object.keys(this.#values).filter((key) => !isKnown(key) && !isInert(key, this.#values[key]));
    const [first, ...others] = unknown;
    if (first === undefined) return;
    const message = others.length === 0 ? 'is an option' : `${unknown.map(describe).join(', ')} are options`;
    throw new AttentionError(
      'INVALID_ARGUMENT',
      others.length === 0 ? name(first) : 'files.config',
      `${message} that this version does not know; options.ignore leaves out what does not matter`,
    );
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
