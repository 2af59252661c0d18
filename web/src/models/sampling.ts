import { finite, integer } from '../arguments.js';
import { AttentionError, invalid, refused } from '../errors.js';
import { mix } from '../mix.js';
import type { Attention } from '../types.js';
import type { GenerateOptions } from './types.js';

/** Picks the next token by its logits; `index` counts the new tokens. */
export type Sampler = (logits: Float32Array, index: number) => number;

/**
 * The most likely token at temperature 0; else one drawn from softmax(logits/temperature), cut to the topK most likely
 * ones and then to the fewest whose share of those reaches topP (Holtzman et al. 2020). `never`: ids that are not picked.
 * @throws AttentionError INVALID_ARGUMENT from the sampler for logits that say nothing: a NaN, or only −Infinity.
 */
export function sampler(attention: Attention, options: GenerateOptions, never: readonly number[]): Sampler {
  const pick = freeSampler(attention, options);
  return (logits, index) => {
    const others = never.length === 0 ? logits : logits.slice();
    for (const id of never) others[id] = -Infinity;
    return pick(others, mostLikely(others, index));
  };
}

function freeSampler(attention: Attention, options: GenerateOptions): (logits: Float32Array, best: number) => number {
  const temperature = finite('options.temperature', options.temperature ?? 0);
  if (temperature < 0) throw invalid('options.temperature', temperature, 'at least 0');
  for (const name of ['topK', 'topP', 'seed'] as const) {
    if (temperature !== 0 || options[name] === undefined) continue;
    throw refused(`options.${name}`, 'it at temperature 0', 'a temperature above 0 beside it');
  }
  if (temperature === 0) return (_, best) => best;
  const topK = options.topK === undefined ? Infinity : integer('options.topK', options.topK, 1);
  const topP = finite('options.topP', options.topP ?? 1);
  if (topP <= 0 || topP > 1) throw invalid('options.topP', topP, 'above 0 and at most 1');
  const random = numbers(integer('options.seed', options.seed ?? 0, -0x80000000));
  return (logits, best) => {
    // Before the division, in double: a small temperature shall leave the largest a number, and so shall an infinite one.
    const largest = logits[best] as number;
    const scaled = logits.map((logit) => (logit === largest ? 0 : (logit - largest) / temperature));
    const { data: probabilities } = attention.softmax({ data: scaled, shape: [logits.length] });
    return drawn(candidates(logits, probabilities, topK, topP), probabilities, random());
  };
}

/** The first of the largest. */
function mostLikely(logits: Float32Array, index: number): number {
  let best = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (Number.isNaN(logit)) throw senseless(`NaN for id ${id}`, index);
    if (logit > (logits[best] as number)) best = id;
  }
  if (logits[best] === -Infinity) throw senseless('-Infinity for every id', index);
  return best;
}

function senseless(what: string, index: number): AttentionError {
  const message = `the logits of new token ${index} are ${what}: no token can be picked`;
  return new AttentionError('INVALID_ARGUMENT', undefined, message);
}

/** Ids by falling logit, equal ones by rising id; probabilities are rounded, and many of them may be 0. */
function candidates(logits: Float32Array, probabilities: Float32Array, topK: number, topP: number): Uint32Array {
  const ids = new Uint32Array(logits.length).map((_, id) => id);
  if (topK >= ids.length && topP === 1) return ids;
  ids.sort((a, b) => ((logits[a] as number) === logits[b] ? a - b : (logits[b] as number) - (logits[a] as number)));
  const best = ids.subarray(0, topK);
  const enough = topP * sumOf(best, probabilities);
  let [count, sum] = [0, 0];
  do sum += probabilities[best[count++] as number] as number;
  while (count < best.length && sum < enough);
  return best.subarray(0, count);
}

/** `random` in 0..1 of the candidates' whole probability. */
function drawn(ids: Uint32Array, probabilities: Float32Array, random: number): number {
  let left = random * sumOf(ids, probabilities);
  let last = ids[0] as number;
  for (const id of ids) {
    const probability = probabilities[id] as number;
    if (probability > 0) last = id;
    left -= probability;
    if (left < 0) break;
  }
  return last;
}

function sumOf(ids: Uint32Array, probabilities: Float32Array): number {
  return ids.reduce((sum, id) => sum + (probabilities[id] as number), 0);
}

/** Numbers in 0..1 from a seed, the same in every engine. */
function numbers(seed: number): () => number {
  const key = mix(seed);
  let count = 0;
  return () => (mix(key ^ mix(count++)) >>> 0) / 2 ** 32;
}

/**
 * log softmax(logits)[id]: the logarithm of a sum of exponentials is attention's own, of one query over keys that are
 * the logits. Ids of +Infinity share all there is.
 */
export async function logProbability(attention: Attention, logits: Float32Array, id: number): Promise<number> {
  const logit = logits[id] as number;
  const shares = logit === Infinity ? logits.filter((one) => one === Infinity).map(() => 0) : logits;
  const one = { data: Float32Array.of(1), shape: [1, 1] };
  const keys = { data: shares, shape: [shares.length, 1] };
  const { logSumExp } = await attention.scaledDotProductAttention(one, keys, keys, { scale: 1, logSumExp: true });
  return (logit === Infinity ? 0 : logit) - (logSumExp.data[0] as number);
}
