import { format } from './statistics.mjs';

/**
 * A table for the console. `columns` are headings by key; rows may lack some, and a column that all lack is left out.
 */
export function printTable({ title, columns, rows }) {
  const lines = linesOf(columns, rows);
  const widths = lines[0].map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  console.log(title);
  for (const line of lines) console.log(`  ${line.map((text, at) => text.padEnd(widths[at])).join('  ')}`.trimEnd());
  console.log('');
}

/** The same table for a page. */
export function markdownTable({ title, columns, rows }) {
  const [heading, ...body] = linesOf(columns, rows).map((line) => `| ${line.join(' | ')} |`);
  const rule = heading.replace(/[^|]+/g, '---');
  return [`## ${title}`, '', heading, rule, ...body, ''].join('\n');
}

function linesOf(columns, rows) {
  const used = Object.entries(columns).filter(([key]) => rows.some((row) => row[key] !== undefined));
  return [used.map(([, heading]) => heading), ...rows.map((row) => used.map(([key]) => cell(row[key])))];
}

const cell = (value) => (value === undefined ? '' : String(format(value)));
