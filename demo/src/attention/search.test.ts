import { expect, test } from 'vitest';
import type { Found } from '../engine/calls/search';
import { habitOf, ranked } from './search';

const found = (change: Partial<Found['values']> = {}, even: Partial<Found['even']> = {}): Found => ({
  layers: 2,
  heads: 2,
  values: {
    pair: new Float32Array(4),
    previous: new Float32Array(4),
    next: new Float32Array(4),
    same: new Float32Array(4),
    separators: new Float32Array(4),
    entropy: Float32Array.of(3.5, 3.5, 3.5, 1),
    ...change,
  },
  even: { pair: 0.1, previous: 0.1, next: 0.1, same: 0.1, separators: 0.2, entropy: 4, ...even },
});
const places = (list: { layer: number; head: number }[]) => list.map(({ layer, head }) => `${layer}.${head}`);

test('the largest weight comes first, equal ones in the order of the model', () => {
  const list = ranked(found({ pair: Float32Array.of(0.25, 0.5, 0.25, 0.75) }), 'pair');
  expect(places(list)).toEqual(['1.1', '0.1', '0.0', '1.0']);
  expect(list[0].value).toBe(0.75);
});

test('the smallest entropy comes first', () => {
  expect(places(ranked(found({ entropy: Float32Array.of(3, 1, 2, 0) }), 'entropy'))).toEqual([
    '1.1',
    '0.1',
    '1.0',
    '0.0',
  ]);
});

test('a head is told by where it looks more than evenly', () => {
  const previous = Float32Array.of(0.6, 0.28, 0, 0);
  const separators = Float32Array.of(0.65, 0, 0.35, 0);
  const shown = found({ previous, separators });
  expect(habitOf(shown, { layer: 0, head: 0 })).toMatchObject({ by: 'previous', even: 0.1 });
  // A third more than evenly, or less than three in ten, is no habit.
  expect(habitOf(shown, { layer: 0, head: 1 })?.what).toBe('looks at many tokens');
  expect(habitOf(shown, { layer: 1, head: 0 })).toMatchObject({ by: 'entropy', value: 3.5, even: 4 });
  expect(habitOf(shown, { layer: 1, head: 1 })?.what).toBe('looks at few tokens');
  expect(habitOf(found({ separators }, { separators: 0.1 }), { layer: 1, head: 0 })?.by).toBe('separators');
});

test('of a head that was not searched nothing is told', () => {
  expect(habitOf(found(), { layer: 2, head: 0 })).toBeNull();
  expect(habitOf(found(), { layer: 0, head: 2 })).toBeNull();
});
