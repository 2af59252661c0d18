import { expect, test } from 'vitest';
import { neighbour } from './roving';

// Two lines of three and a last line of one, each item 10 × 10.
const boxes = [0, 1, 2, 3, 4, 5, 6].map((i) => ({
  left: (i % 3) * 20,
  top: Math.floor(i / 3) * 20,
  width: 10,
  height: 10,
}));

test.each([
  ['ArrowRight', 2, 3],
  ['ArrowRight', 6, null],
  ['ArrowLeft', 3, 2],
  ['ArrowLeft', 0, null],
  ['ArrowDown', 1, 4],
  ['ArrowDown', 5, 6],
  ['ArrowDown', 6, null],
  ['ArrowUp', 6, 3],
  ['ArrowUp', 1, null],
  ['Home', 4, 0],
  ['End', 4, 6],
  ['Enter', 4, null],
])('%s from %i leads to %s', (key, from, to) => {
  expect(neighbour(boxes, from, key)).toBe(to);
});
