import type { Detector, Found } from '../engine/calls/search';
import type { Place } from '../engine/protocol';
import { short } from './pairs';

export interface Ranked extends Place {
  value: number;
}

/** All heads, the largest value first; of entropy the smallest. Equal ones in the order of the model. */
export function ranked({ heads, values }: Found, by: Detector): Ranked[] {
  const sign = by === 'entropy' ? -1 : 1;
  const all = Array.from(values[by], (value, i) => ({ layer: Math.floor(i / heads), head: i % heads, value }));
  return all.sort((a, b) => sign * (b.value - a.value));
}

/** For tight places. */
export const valueText = (value: number, by: Detector) => value.toFixed(by === 'entropy' ? 1 : 2);

/** With its unit, where it stands alone. */
export const measureText = (value: number, by: Detector) =>
  by === 'entropy' ? `${value.toFixed(2)} bits` : short(value);

export interface Habit {
  what: string;
  by: Detector;
  value: number;
  even: number;
}

const looks = {
  previous: 'looks at the token before',
  next: 'looks at the token after',
  same: 'looks at the token itself',
  separators: 'looks at the separators',
} as const;

/** Weaker ones are no habit. */
const least = 0.3;

/** What a head does most: where it looks much more than an even spread would; else how widely it spreads. */
export function habitOf({ heads, values, even }: Found, { layer, head }: Place): Habit | null {
  const at = layer * heads + head;
  if (at >= values.entropy.length || head >= heads) return null;
  const names = Object.keys(looks) as (keyof typeof looks)[];
  const habits = names.map((by) => ({ what: looks[by], by, value: values[by][at], even: even[by] }));
  const strong = habits.filter(({ value, even: e }) => value >= Math.max(least, 2 * e));
  strong.sort((a, b) => b.value - b.even - (a.value - a.even));
  if (strong.length > 0) return strong[0];
  const entropy = { by: 'entropy' as const, value: values.entropy[at], even: even.entropy };
  const isNarrow = entropy.value < entropy.even / 2;
  return { ...entropy, what: isNarrow ? 'looks at few tokens' : 'looks at many tokens' };
}
