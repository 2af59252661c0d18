import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCharts } from './charts/write.mjs';

/** Writes what was found, where and when, and its charts. */
export async function writeResults(folder, file, machine, results) {
  await mkdir(folder, { recursive: true });
  const text = JSON.stringify({ date: new Date().toISOString().slice(0, 10), ...machine, ...results }, null, 1);
  await writeFile(join(folder, file), `${text}\n`);
  await writeCharts(folder, results);
}
