import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chartsOf } from './charts.mjs';
import { svg } from './svg.mjs';

/** The charts of these results, as files of a folder. */
export async function writeCharts(folder, results) {
  for (const { file, ...chart } of chartsOf(results)) await writeFile(join(folder, file), svg(chart));
}
