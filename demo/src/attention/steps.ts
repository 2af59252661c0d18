import type { HeadData } from '../engine/protocol';
import { dotOf, isAttended } from './weights';

/** One key on its way from a dot product to a weight. */
export interface Step {
  key: number;
  /** q·k */
  dot: number;
  /** Scaled. */
  score: number;
  isAttended: boolean;
  /** exp(score − the largest score); 0 where the mask hides the key. */
  exponential: number;
  /** Its share of all exponentials. */
  weight: number;
}

export interface Softmax {
  /** Of the shown keys, the largest weight first, hidden keys last. */
  steps: Step[];
  largest: number;
  /** Of the exponentials; 0 where the query may attend to nothing. */
  sum: number;
}

/** The softmax of one row, in double, whatever of it the page shows. */
export function softmaxOf(head: HeadData, query: number): Softmax {
  const [from, to] = head.range;
  const steps = Array.from({ length: to - from }, (_, i): Step => {
    const key = from + i;
    const dot = dotOf(head, query, key);
    const attended = isAttended(head, query, key);
    return { key, dot, score: head.scale * dot, isAttended: attended, exponential: 0, weight: 0 };
  });
  const attended = steps.filter((step) => step.isAttended);
  const largest = attended.reduce((max, { score }) => Math.max(max, score), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (const step of attended) sum += step.exponential = Math.exp(step.score - largest);
  for (const step of attended) step.weight = step.exponential / sum;
  steps.sort((a, b) => Number(b.isAttended) - Number(a.isAttended) || b.score - a.score || a.key - b.key);
  return { steps, largest, sum };
}

/** One dimension of a query and a key: the products of all of them add up to q·k. */
export interface Product {
  dimension: number;
  query: number;
  key: number;
  product: number;
}

export function productsOf({ query: queries, key: keys, dims }: HeadData, query: number, key: number): Product[] {
  return Array.from({ length: dims }, (_, dimension) => {
    const [q, k] = [queries[query * dims + dimension], keys[key * dims + dimension]];
    return { dimension, query: q, key: k, product: q * k };
  });
}

/** One dimension of a value and of the output: over all keys the parts add up to it. */
export interface Part {
  dimension: number;
  value: number;
  /** weight · value */
  part: number;
  output: number;
}

/** Null where there are no values. */
export function partsOf({ value, size }: HeadData, { steps }: Softmax, key: number): Part[] | null {
  if (!value) return null;
  const dims = value.length / size;
  const weight = steps.find((step) => step.key === key)?.weight ?? 0;
  return Array.from({ length: dims }, (_, dimension) => {
    const own = value[key * dims + dimension];
    let output = 0;
    for (const step of steps) output += step.weight * value[step.key * dims + dimension];
    return { dimension, value: own, part: weight * own, output };
  });
}
