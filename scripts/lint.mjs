// Formatting, static analysis and types. Types need the built package, and clang-tidy a configured native build.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, repository, run } from './lib/run.mjs';
import { installPackages } from './setup.mjs';

const clangVersion = 19;

export async function lint(env) {
  await run('npx', ['biome', 'ci', '--error-on-warnings'], { env });
  await run(clangTool('clang-format'), ['--dry-run', '-Werror', ...sourcesIn('cpp'), ...sourcesIn('tests/cpp')], {
    env,
  });
  await run('cmake', ['--preset', 'native'], { env });
  const checked = `^${join(repository, 'cpp')}/.*`;
  await run(clangTool('run-clang-tidy'), ['-quiet', '-j', '2', '-p', 'build/native', checked], { env });
  await run('npm', ['run', 'typecheck'], { env });
  const demo = join(repository, 'demo');
  await installPackages(demo);
  await run('npm', ['run', 'check'], { cwd: demo, env });
}

/** Debian has the version in the name; elsewhere the plain name must be that version. */
function clangTool(name) {
  return findProgram(`${name}-${clangVersion}`) ?? name;
}

function sourcesIn(folder) {
  const files = readdirSync(join(repository, folder), { recursive: true });
  return files.filter((file) => /\.(hpp|cpp)$/.test(file)).map((file) => join(folder, file));
}
