import { expect, test } from 'vitest';
import { largestChanges, signed } from './changes';

const length = 23;
// All different in size.
const cells = Float32Array.from({ length: length ** 2 }, (_, i) => (((i * 211) % 529) + 1) * (i % 2 ? -1 : 1) * 1e-3);
const value = (row: number, column: number) => cells[row * length + column];
const rootOf = (side: number) => {
  const pooled = new Float32Array(side * side);
  const place = (i: number) =>
    Array.from({ length: side }, (_, b) => Math.floor(((b + 1) * length) / side)).findIndex((end) => i < end);
  for (let r = 0; r < length; r++) {
    for (let c = 0; c < length; c++) {
      const at = place(r) * side + place(c);
      if (Math.abs(value(r, c)) > Math.abs(pooled[at])) pooled[at] = value(r, c);
    }
  }
  return { rows: [0, length], columns: [0, length], size: [side, side], cells: pooled } as const;
};

test('the largest changes first, in either direction', () => {
  const all = [...cells.keys()].sort((a, b) => Math.abs(cells[b]) - Math.abs(cells[a]));
  const expected = all.slice(0, 12).map((i) => ({ row: Math.floor(i / length), column: i % length, value: cells[i] }));
  expect(largestChanges({ length, value, root: rootOf(length) }, 12)).toEqual(expected);
});

test('in a pooled picture each is found within its block', () => {
  const changes = largestChanges({ length, value, root: rootOf(6) }, 36);
  expect(changes).toHaveLength(36);
  expect(new Set(changes.map(({ value }) => value))).toEqual(new Set(rootOf(6).cells));
  for (const change of changes) expect(value(change.row, change.column)).toBe(change.value);
});

test('no change is none, and a NaN is no change', () => {
  const root = {
    rows: [0, 2],
    columns: [0, 2],
    size: [2, 2],
    cells: Float32Array.of(0, Number.NaN, 1e-6, 0.5),
  } as const;
  const changes = largestChanges({ length: 2, value: (r, c) => root.cells[2 * r + c], root }, 12);
  expect(changes).toEqual([{ row: 1, column: 1, value: 0.5 }]);
});

test('a change says in which direction', () => {
  expect([0.25, -0.1234, 0.00001, -0.00001].map((value) => signed(value))).toEqual([
    '+0.250',
    '−0.123',
    '0.000',
    '0.000',
  ]);
});
