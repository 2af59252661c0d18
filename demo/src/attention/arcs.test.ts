import { expect, test } from 'vitest';
import { arc } from './arcs';

const box = (left: number, top: number) => ({ left, top, width: 20, height: 10 });
const space = { room: 40, reach: 100 };
const numbers = (path: string) => path.match(/-?[\d.]+/g)?.map(Number);

test('on one line an arc hangs below or stands above it, and swings as far as there is room', () => {
  const below = arc(box(0, 50), box(200, 50), 'below', space);
  expect(numbers(below.path)?.slice(0, 2)).toEqual([10, 60]);
  expect(numbers(below.path)?.slice(-2)).toEqual([210, 60]);
  expect(below).toMatchObject({ x: 110, y: 100 });
  expect(arc(box(0, 50), box(200, 50), 'above', space)).toMatchObject({ x: 110, y: 10 });
});

test('a token that attends to itself still has an arc to see', () => {
  const [x1, , , , , , x2] = numbers(arc(box(0, 50), box(0, 50), 'below', space).path) ?? [];
  expect(x2 - x1).toBe(16);
});

test('lines are joined by their facing sides, in both directions', () => {
  const down = numbers(arc(box(0, 0), box(100, 60), 'below', space).path);
  expect([down?.[1], down?.at(-1)]).toEqual([10, 60]);
  const up = numbers(arc(box(100, 60), box(0, 0), 'below', space).path);
  expect([up?.[1], up?.at(-1)]).toEqual([60, 10]);
});
