import { expect } from 'vitest';
import { argmax } from './oracle/model.ts';
import type { Exact } from './oracle/values.ts';

/** The logits after a text, [S,V]. */
export type Next = (ids: readonly number[]) => Exact;

export interface Step {
  id: number;
  /** ln of its probability. */
  logProbability: number;
}

export const lastOf = ({ data, shape }: Exact): Float64Array => {
  const [S = 0, V = 0] = shape;
  return data.slice((S - 1) * V, S * V);
};

export function logSoftmax(row: ArrayLike<number>): number[] {
  const max = Math.max(...Array.from(row));
  const lse = max + Math.log(Array.from(row).reduce((sum, x) => sum + Math.exp(x - max), 0));
  return Array.from(row, (x) => x - lse);
}

/**
 * The most likely id again and again. Where two are closer than float32 can tell apart after a model, what is greedy is not
 * defined, and the test's seed must be another one.
 */
export function greedy(next: Next, prompt: readonly number[], count: number, stop: readonly number[] = []): Step[] {
  const steps: Step[] = [];
  while (steps.length < count) {
    const row = lastOf(next([...prompt, ...steps.map(({ id }) => id)]));
    const { id, lead } = argmax(row);
    expect(lead).toBeGreaterThan(1e-3);
    if (stop.includes(id)) break;
    steps.push({ id, logProbability: logSoftmax(row)[id] as number });
  }
  return steps;
}

export interface Sampling {
  temperature: number;
  topK?: number;
  topP?: number;
}

/**
 * What an id is drawn from: softmax(logits/temperature); of that the topK most likely; of those, made to sum to 1, the fewest most
 * likely that have topP together (Holtzman et al. 2020); and what is left made to sum to 1.
 */
export function distribution(row: ArrayLike<number>, { temperature, topK = row.length, topP = 1 }: Sampling): number[] {
  const all = logSoftmax(Array.from(row, (x) => x / temperature)).map(Math.exp);
  const order = Array.from(all.keys()).sort((a, b) => (all[b] as number) - (all[a] as number));
  const best = order.slice(0, topK);
  const sumOf = (ids: number[]) => ids.reduce((sum, id) => sum + (all[id] as number), 0);
  const total = sumOf(best);
  const kept = best.filter((_, n) => n === 0 || sumOf(best.slice(0, n)) < topP * total);
  return all.map((p, id) => (kept.includes(id) ? p / sumOf(kept) : 0));
}
