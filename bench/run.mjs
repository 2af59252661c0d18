// This package beside onnxruntime-web, and its own figures: npm run bench. Only ratios of one run count.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, main, repository } from '../scripts/lib/run.mjs';
import { installPackages } from '../scripts/setup.mjs';

const help = `npm run bench [-- --quick | --long | --help]

            attention beside onnxruntime-web, a model's forward pass, a small call, the modules' sizes
  --quick   the same with fewer lengths and rounds
  --long    65,536 tokens with a window, a map of 32,768 tokens, growth and block-sparse masks: time and memory.
            Ends with 1 where a limit is broken`;

await main(import.meta.url, async () => {
  const given = process.argv.slice(2);
  const unknown = given.find((option) => !['--quick', '--long', '--help'].includes(option));
  if (unknown) throw new Failure(`There is no ${unknown}.\n\n${help}`);
  if (given.includes('--help')) return console.log(help);
  const isBuilt = existsSync(join(repository, 'dist', 'index.js'));
  if (!isBuilt) throw new Failure('There is no dist/ to measure: npm run build');
  const isLong = given.includes('--long');
  if (!isLong) await installPackages(import.meta.dirname);
  // Node 20 has relaxed SIMD behind a flag; later versions have it and refuse the flag.
  const flags = Number.parseInt(process.versions.node, 10) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];
  const script = join(import.meta.dirname, isLong ? 'long.mjs' : 'measurements.mjs');
  const { status } = spawnSync(process.execPath, [...flags, script, ...given], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
