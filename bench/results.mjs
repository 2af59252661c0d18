import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCharts } from './charts/write.mjs';
import { markdownTable } from './print.mjs';

/** Writes what was found, where and when: `<name>.json`, the same as tables for reading, and charts. */
export async function writeResults(folder, name, { machine, results, tables }) {
  await mkdir(folder, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const write = (ending, text) => writeFile(join(folder, name + ending), `${text}\n`);
  await write('.json', JSON.stringify({ date, ...machine, ...results }, null, 2));
  await write('.md', [head(name, date, machine), ...tables.map(markdownTable)].join('\n').trimEnd());
  await writeCharts(folder, results);
}

function head(name, date, { processor, cores, system, node, v8, versions }) {
  const packages = Object.entries(versions).map(([package_, version]) => `${package_} ${version}`);
  return `# Figures: ${name}

Written by \`npm run bench\` on ${date}: ${cores} × ${processor}, ${system}, Node.js ${node} (V8 ${v8}); ${packages.join(', ')}.
Medians of turns taken one after the other, with the middle half in brackets.
`;
}
