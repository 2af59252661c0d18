// This package beside others and beside what the machine allows: npm run bench. Only ratios of one run count.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeFlags } from '../scripts/lib/emscripten.mjs';
import { Failure, main, repository } from '../scripts/lib/run.mjs';
import { installPackages } from '../scripts/setup.mjs';

const help = `npm run bench [-- options]

                  everything in Node.js, some minutes; results and charts go to docs/performance
  --quick         fewer lengths and rounds, under 90 s; writes nothing
  --only a,b      these sections only: limit attention grouped growth density decode layers composed model generate calls
                  threads memory load files sizes; writes nothing
  --out folder    where to write results and charts
  --browsers      this package beside onnxruntime-web in Chromium and Firefox, and alone in WebKitGTK
  --long          65,536 tokens with a window, and a map of 32,768 tokens: time and memory. Ends with 1 where a limit is broken
  --help`;

const docs = join(repository, 'docs', 'performance');

const options = {
  quick: { type: 'boolean' },
  only: { type: 'string' },
  out: { type: 'string' },
  browsers: { type: 'boolean' },
  long: { type: 'boolean' },
  help: { type: 'boolean' },
};

await main(import.meta.url, async () => {
  const given = readOptions();
  if (given.help) return console.log(help);
  const isBuilt = existsSync(join(repository, 'dist', 'index.js'));
  if (!isBuilt) throw new Failure('There is no dist/ to measure: npm run build');
  if (given.long) return runScript('long.mjs');
  await installPackages(import.meta.dirname);
  await installPackages(join(import.meta.dirname, 'charts'));
  const isWhole = !given.quick && !given.only;
  const out = given.out ? resolve(given.out) : isWhole ? docs : undefined;
  if (given.browsers) return runScript(join('browsers', 'measurements.mjs'), { quick: given.quick, out });
  runScript('measurements.mjs', { quick: given.quick, only: given.only?.split(','), out });
});

function readOptions() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${help}`);
  }
}

/** In a process of its own: Node 20 has relaxed SIMD behind a flag. */
function runScript(name, given = {}) {
  const script = join(import.meta.dirname, name);
  const { status } = spawnSync(process.execPath, [...nodeFlags, script, JSON.stringify(given)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
