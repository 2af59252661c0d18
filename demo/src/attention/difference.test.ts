import { expect, test } from 'vitest';
import type { HeadData } from '../engine/protocol';
import { align } from './align';
import { differenceRoot } from './difference';

/** A head of which only the picture is looked at. */
function head(
  range: readonly [number, number],
  side: number,
  weight: (query: number, key: number) => number,
): HeadData {
  const length = range[1] - range[0];
  const cells = Float32Array.from({ length: side * side }, (_, i) =>
    weight(range[0] + Math.floor(i / side), range[0] + (i % side)),
  );
  return { range, root: { rows: [0, length], columns: [0, length], size: [side, side], cells } } as unknown as HeadData;
}

test('rows and columns of the tokens that both have', () => {
  const [ours, theirs] = ['s the old animal e'.split(' '), 's the animal e'.split(' ')];
  const a = (query: number, key: number) => 0.1 * query + 0.01 * key;
  const b = (query: number, key: number) => 0.5 * query - 0.03 * key;
  const alignment = align(ours, [1, 5], theirs, [0, 4]);
  const root = differenceRoot(head([1, 5], 4, a), head([0, 4], 4, b), alignment);
  // As many tokens: by position, though the ranges begin elsewhere.
  expect(root?.size).toEqual([4, 4]);
  near(root?.cells[1 * 4 + 2], a(2, 3) - b(1, 2));

  const byToken = align(ours, [0, 5], theirs, [0, 4]);
  const fewer = differenceRoot(head([0, 5], 5, a), head([0, 4], 4, b), byToken);
  expect(fewer?.size).toEqual([4, 4]);
  const [mine, others] = [
    [0, 1, 3, 4],
    [0, 1, 2, 3],
  ];
  mine.forEach((query, r) => {
    mine.forEach((key, c) => {
      near(fewer?.cells[r * 4 + c], a(query, key) - b(others[r], others[c]));
    });
  });
});

test('not of pictures whose cells are blocks', () => {
  const alignment = align(Array(300).fill('a'), [0, 300], ['a'], [0, 1]);
  expect(
    differenceRoot(
      head([0, 300], 256, () => 0),
      head([0, 1], 1, () => 0),
      alignment,
    ),
  ).toBeNull();
});

function near(got: number | undefined, expected: number): void {
  if (got === undefined || !(Math.abs(got - expected) <= 1e-6)) expect(got).toBe(expected);
}
