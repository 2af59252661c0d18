import { builders, type Fit, type Told } from './mask-builders.ts';
import * as oracle from './oracle/masks.ts';
import type { Random } from './random.ts';

export type WholeShape = Required<Omit<oracle.Shape, 'queryOffset'>> & {
  queryOffset: number | readonly number[];
};

// Blocks of the mask plan are 64 × 64: one short of it, on it, past it, and of two.
const lengths = [1, 2, 7, 31, 63, 64, 65, 100, 127, 128, 129, 130];

export function randomShape(random: Random): WholeShape {
  const batch = random.integer(1, 3);
  const [queries, keys] = [random.pick(lengths), random.pick(lengths)];
  const offset = () => random.integer(random.pick([-5, -70]), random.pick([0, 5, keys, 2 * keys]));
  return {
    batch,
    heads: random.integer(1, 3),
    queries,
    keys,
    queryOffset: random.chance(0.3) ? 0 : random.chance(0.5) ? offset() : Array.from({ length: batch }, offset),
  };
}

export const not = (one: Told): Told => ({
  mask: one.mask.not(),
  rule: oracle.not(one.rule),
  text: `not(${one.text})`,
});
export const and = (one: Told, other: Told): Told => ({
  mask: one.mask.and(other.mask),
  rule: oracle.and(one.rule, other.rule),
  text: `and(${one.text}, ${other.text})`,
});
export const or = (one: Told, other: Told): Told => ({
  mask: one.mask.or(other.mask),
  rule: oracle.or(one.rule, other.rule),
  text: `or(${one.text}, ${other.text})`,
});

/** A rule or a tree of rules that fits. */
export function randomTree(random: Random, fit: Fit, depth = 3): Told {
  if (depth === 0 || random.chance(0.4)) return random.pick(Object.values(builders))(random, fit);
  const one = randomTree(random, fit, depth - 1);
  if (random.chance(0.25)) return not(one);
  return random.pick([and, or])(one, randomTree(random, fit, depth - 1));
}
