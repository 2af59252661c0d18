import { isAttended, scoreOf, weightOf } from '../attention/weights';
import type { HeadData } from '../engine/protocol';
import { isSpecial } from '../engine/special';

/** Of more tokens the sums over all pairs would hold up the page. */
export const mostTokens = 512;

/** What the queries of a head give to later tokens, in the mean. */
export function laterShare(head: HeadData): number {
  const [from, to] = head.range;
  let sum = 0;
  for (let query = from; query < to; query++) {
    for (let key = query + 1; key < to; key++) sum += weightOf(head, query, key);
  }
  return sum / (to - from);
}

export interface SeparatorShares {
  /** Of α. */
  weight: number;
  /** Of ‖α·v‖. */
  effect: number;
}

/** What words give to the special tokens, in the mean, whichever way the head is looked at; null without both numbers. */
export function separatorShares(head: HeadData, tokens: readonly string[]): SeparatorShares | null {
  const norms = normsOf(head);
  if (!norms || head.lens.kind === 'rollout') return null;
  const [from, to] = head.range;
  const shares = { weight: 0, effect: 0 };
  let queries = 0;
  for (let query = from; query < to; query++) {
    if (isSpecial(tokens[query])) continue;
    const sums = { weight: [0, 0], effect: [0, 0] };
    for (let key = from; key < to; key++) {
      if (!isAttended(head, query, key)) continue;
      // Sums cancel in the shares; the row's own keeps the exponentials small.
      const weight = Math.exp(scoreOf(head, query, key) - head.logSumExp[query]);
      const place = isSpecial(tokens[key]) ? 1 : 0;
      sums.weight[place] += weight;
      sums.effect[place] += weight * norms[key];
    }
    if (sums.weight[0] + sums.weight[1] === 0) continue;
    shares.weight += sums.weight[1] / (sums.weight[0] + sums.weight[1]);
    shares.effect += sums.effect[1] / (sums.effect[0] + sums.effect[1]);
    queries++;
  }
  return queries > 0 ? { weight: shares.weight / queries, effect: shares.effect / queries } : null;
}

/** ‖v‖ of each key. */
function normsOf({ value, keyBias, size }: HeadData): Float64Array | null {
  if (keyBias) return Float64Array.from(keyBias, Math.exp);
  if (!value) return null;
  const dims = value.length / size;
  return Float64Array.from({ length: size }, (_, key) => Math.hypot(...value.subarray(key * dims, (key + 1) * dims)));
}
