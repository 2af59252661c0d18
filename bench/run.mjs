// This package beside onnxruntime-web, and its own figures: npm run bench [-- --quick]. Only ratios of one run count.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, main, repository } from '../scripts/lib/run.mjs';
import { installPackages } from '../scripts/setup.mjs';

await main(import.meta.url, async () => {
  const isBuilt = existsSync(join(repository, 'dist', 'index.js'));
  if (!isBuilt) throw new Failure('There is no dist/ to measure: npm run build');
  await installPackages(import.meta.dirname);
  // Node 20 has relaxed SIMD behind a flag; later versions have it and refuse the flag.
  const flags = Number.parseInt(process.versions.node, 10) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];
  const script = join(import.meta.dirname, 'measurements.mjs');
  const { status } = spawnSync(process.execPath, [...flags, script, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
