// From import to an engine that has passed its self-test, each time in a new process.
import { join } from 'node:path';
import { output, repository } from '../../scripts/lib/run.mjs';
import { variants } from '../engines.mjs';
import { summary } from '../statistics.mjs';

const script = `
const start = performance.now();
const { createAttention } = await import(process.argv[1]);
const imported = performance.now();
const engine = await createAttention({ variant: process.argv[2] });
console.log(imported - start, performance.now() - imported);`;

export const load = {
  name: 'load',
  title: 'Loading in Node.js, a new process each time',
  columns: { variant: 'variant', importing: 'import ms', creating: 'createAttention() ms, self-test included' },
  rows: async ({ effort }) => {
    const entry = join(repository, 'dist', 'index.js');
    const measured = Object.fromEntries(variants.map((variant) => [variant, []]));
    for (let round = 0; round < effort.rounds; round++) {
      for (const variant of variants) {
        const flags = [...process.execArgv, '--input-type=module', '-e', script];
        const printed = await output(process.execPath, [...flags, entry, variant]);
        measured[variant].push(printed.split(' ').map(Number));
      }
    }
    return variants.map((variant) => ({
      variant,
      importing: summary(measured[variant].map(([time]) => time)),
      creating: summary(measured[variant].map(([, time]) => time)),
    }));
  },
};
