import { expect, test } from 'vitest';
import { jsonLines } from './json';

const tokens = ['[CLS]', '"\\', '\u2028', '</script>'];
const weight = (row: number, column: number) => (row + column + 1) / 13;
const read = (facts: Record<string, unknown>, names: readonly string[]) =>
  JSON.parse(
    [...jsonLines(facts, { tokens: names, row: (row) => Float32Array.from(names, (_, i) => weight(row, i)) })].join(''),
  );

test('a reader of JSON gives everything back', () => {
  const facts = { text: 'a "b"', mask: { window: null }, layer: 3 };
  const { rows, ...rest } = read(facts, tokens);
  expect(rest).toEqual({ ...facts, tokens });
  expect(rows).toHaveLength(4);
  for (const [i, row] of rows.entries()) {
    expect(row).toHaveLength(4);
    for (const [j, number] of row.entries()) {
      if (!(Math.abs(number - weight(i, j)) <= 1e-7)) expect(number).toBe(weight(i, j));
    }
  }
});

test('without tokens and facts it is JSON still', () => {
  expect(read({}, [])).toEqual({ tokens: [], rows: [] });
});
