import { expect, test } from 'vitest';
import { csvLines } from './csv';

const tokens = ['[CLS]', 'a,b', '"', '=1+2', '-', '@x', '+', "'", "'=", 'ü\n', '＝', '\tt', '##s', '', 'a=b'];
const weight = (row: number, column: number) => (row + 1) / 7 + column / 1e9;
const rows = { tokens, row: (row: number) => tokens.map((_, column) => weight(row, column)) };
const file = [...csvLines(rows)].join('');

test('a reader of RFC 4180 gives tokens and numbers back', () => {
  const table = parse(file);
  expect(table).toHaveLength(tokens.length + 1);
  expect(table[0].map(text)).toEqual(['', ...tokens]);
  for (const [i, [name, ...numbers]] of table.slice(1).entries()) {
    expect(text(name)).toBe(tokens[i]);
    expect(numbers).toHaveLength(tokens.length);
    numbers.forEach((number, j) => {
      if (!(Math.abs(Number(number) - weight(i, j)) <= 1e-6 * weight(i, j))) expect(number).toBe(weight(i, j));
    });
  }
});

test('no cell is a formula to a spreadsheet', () => {
  for (const [first, ...others] of parse(file)) {
    expect(first).not.toMatch(/^[=+\-@＝＋－＠\t\r]/);
    for (const cell of others) expect(cell).not.toMatch(/^[=+@\t\r]|^-(?!\d)/);
  }
});

test('without tokens there is the corner alone', () => {
  expect([...csvLines({ tokens: [], row: () => [] })]).toEqual(['\r\n']);
});

/** One leading apostrophe is the writer's. */
const text = (cell: string) => cell.replace(/^'/, '');

/** By the grammar of RFC 4180: every line ends in CR LF; quotes are doubled within quotes. */
function parse(file: string): string[][] {
  const table: string[][] = [];
  let [line, at]: [string[], number] = [[], 0];
  while (at < file.length) {
    let cell = '';
    if (file[at] === '"') {
      for (at++; file[at] !== '"' || file[at + 1] === '"'; at++) {
        if (at >= file.length) throw new Error('A quote is open.');
        cell += file[at];
        if (file[at] === '"') at++;
      }
      at++;
    } else {
      while (at < file.length && !',\r\n"'.includes(file[at])) cell += file[at++];
    }
    line.push(cell);
    if (file[at] === ',') at++;
    else if (file.startsWith('\r\n', at)) {
      table.push(line);
      line = [];
      at += 2;
    } else throw new Error(`Neither a comma nor the end of a line at ${at}.`);
  }
  if (line.length > 0) throw new Error('The last line has no end.');
  return table;
}
