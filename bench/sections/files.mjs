// From the bytes of a checkpoint to a model: time, and the most memory of a process that does nothing else.
import { join } from 'node:path';
import { output, repository } from '../../scripts/lib/run.mjs';
import { checkpoints, dtypes } from '../checkpoint.mjs';
import { summary } from '../statistics.mjs';

const script = `
const { loadCheckpoint } = await import(process.argv[1]);
const { parameters, ms } = await loadCheckpoint(...process.argv.slice(2));
console.log(parameters, ms, 1024 * process.resourceUsage().maxRSS);`;

export const files = {
  name: 'files',
  title: 'Checkpoints in Node.js: readSafetensors() and createModel(), a new process each time',
  columns: {
    checkpoint: 'checkpoint',
    dtype: 'in the file',
    parameters: 'parameters',
    ms: 'ms',
    beside: 'times as long as F16',
    bytes: 'bytes of the process at most, the file among them',
  },
  rows: async ({ quick, effort }) => {
    const names = quick ? ['small'] : Object.keys(checkpoints).filter((name) => name !== 'small');
    const rows = [];
    for (const checkpoint of names) rows.push(...(await measure(checkpoint, effort.rounds)));
    return rows;
  },
};

async function measure(checkpoint, rounds) {
  const measured = Object.fromEntries(dtypes.map((dtype) => [dtype, []]));
  for (let round = 0; round < rounds; round++) {
    for (const dtype of dtypes) {
      const flags = [...process.execArgv, '--input-type=module', '-e', script];
      const arguments_ = [join(repository, 'bench', 'checkpoint.mjs'), checkpoint, dtype];
      const printed = await output(process.execPath, [...flags, ...arguments_]);
      measured[dtype].push(printed.split(' ').map(Number));
    }
  }
  return dtypes.map((dtype) => ({
    checkpoint,
    dtype,
    parameters: measured[dtype][0][0],
    ms: summary(measured[dtype].map(([, ms]) => ms)),
    beside: summary(measured[dtype].map(([, ms], round) => ms / measured.F16[round][1])),
    bytes: Math.max(...measured[dtype].map(([, , bytes]) => bytes)),
  }));
}
