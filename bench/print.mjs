import { format } from './statistics.mjs';

/** Rows as a table for reading; columns are headings by key. A row may lack some. */
export function printTable(title, columns, rows) {
  console.log(title);
  const used = Object.entries(columns).filter(([key]) => rows.some((row) => row[key] !== undefined));
  const lines = [used.map(([, heading]) => heading), ...rows.map((row) => used.map(([key]) => cell(row[key])))];
  const widths = used.map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  for (const line of lines) console.log(`  ${line.map((text, at) => text.padEnd(widths[at])).join('  ')}`.trimEnd());
  console.log('');
}

const cell = (value) => (value === undefined ? '' : String(format(value)));
