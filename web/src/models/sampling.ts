import { finite, integer } from '../arguments.js';
import { invalid, refused } from '../errors.js';
import { mix } from '../mix.js';
import type { Attention } from '../types.js';
import type { GenerateOptions } from './types.js';

/** Picks the next token of its logits. */
export type Sampler = (logits: Float32Array) => number;

/**
 * The most likely token at temperature 0; else one drawn from softmax(logits/temperature), cut to the topK most likely
 * ones and then to the fewest whose share of those reaches topP (Holtzman et al. 2020). `never`: ids that are not picked.
 */
export function sampler(attention: Attention, options: GenerateOptions, never: readonly number[]): Sampler {
  const pick = freeSampler(attention, options);
  if (never.length === 0) return pick;
  return (logits) => {
    const others = logits.slice();
    for (const id of never) others[id] = -Infinity;
    return pick(others);
  };
}

function freeSampler(attention: Attention, options: GenerateOptions): Sampler {
  const temperature = finite('options.temperature', options.temperature ?? 0);
  if (temperature < 0) throw invalid('options.temperature', temperature, 'at least 0');
  for (const name of ['topK', 'topP', 'seed'] as const) {
    if (temperature !== 0 || options[name] === undefined) continue;
    throw refused(`options.${name}`, 'it at temperature 0', 'a temperature above 0 beside it');
  }
  if (temperature === 0) return mostLikely;
  const topK = options.topK === undefined ? Infinity : integer('options.topK', options.topK, 1);
  const topP = finite('options.topP', options.topP ?? 1);
  if (topP <= 0 || topP > 1) throw invalid('options.topP', topP, 'above 0 and at most 1');
  const random = numbers(integer('options.seed', options.seed ?? 0, -0x80000000));
  return (logits) => {
    // Before the division, in double: a small temperature shall leave the largest a number.
    const largest = logits[mostLikely(logits)] as number;
    const scaled = { data: logits.map((logit) => (logit - largest) / temperature), shape: [logits.length] };
    const { data: probabilities } = attention.softmax(scaled);
    return drawn(candidates(probabilities, topK, topP), probabilities, random());
  };
}

/** The first of the largest. */
function mostLikely(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) {
    if ((logits[id] as number) > (logits[best] as number)) best = id;
  }
  return best;
}

/** Ids by falling probability; equal ones by rising id. */
function candidates(probabilities: Float32Array, topK: number, topP: number): Uint32Array {
  const ids = Uint32Array.from(probabilities.keys());
  if (topK >= ids.length && topP === 1) return ids;
  ids.sort((a, b) => (probabilities[b] as number) - (probabilities[a] as number) || a - b);
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

/** log softmax(logits)[id]: the logarithm of a sum of exponentials is attention's own, of one query over keys that are the logits. */
export async function logProbability(attention: Attention, logits: Float32Array, id: number): Promise<number> {
  const one = { data: Float32Array.of(1), shape: [1, 1] };
  const keys = { data: logits, shape: [logits.length, 1] };
  const { logSumExp } = await attention.scaledDotProductAttention(one, keys, keys, { scale: 1, logSumExp: true });
  return (logits[id] as number) - (logSumExp.data[0] as number);
}
