// Builds the package into dist/, packs it, and unpacks it into build/package, where the demo and the tests take it.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { main, output, repository, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

/** With settings of CMake's that are other than the presets'. */
export async function build(env, settings = []) {
  removeOldModules();
  for (const preset of ['wasm-simd', 'wasm-relaxed', 'wasm-simd-threads', 'wasm-relaxed-threads'])
    await buildPreset(preset, env, settings);
  // By its path: the tests' older TypeScript competes for the name 'tsc' in node_modules/.bin.
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'web'], { env });
  await unpackPackage(env);
}

export async function buildPreset(preset, env, settings = []) {
  await run('cmake', ['--preset', preset, ...settings], { env });
  await run('cmake', ['--build', '--preset', preset], { env });
}

/** Removes what earlier TypeScript builds left, so that a deleted source file is not packed; CMake looks after its own. */
function removeOldModules() {
  const dist = join(repository, 'dist');
  if (!existsSync(dist)) return;
  for (const name of readdirSync(dist)) {
    if (!/^attention-.*(wasm|module\.js)$/.test(name)) rmSync(join(dist, name), { recursive: true });
  }
}

async function unpackPackage(env) {
  const folder = join(repository, 'build');
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'package'), { recursive: true, force: true });
  const archive = await output('npm', ['pack', '--silent', '--pack-destination', folder], { env });
  await run('tar', ['-xzf', join(folder, archive), '-C', folder]);
  console.log(`Packed ${archive} and unpacked it into build/package`);
}

await main(import.meta.url, async () => build(await setup()));
