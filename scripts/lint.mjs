// Formatting, static analysis and types. Types need the built package, and clang-tidy configured builds.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, output, repository, run } from './lib/run.mjs';
import { installPackages } from './setup.mjs';

const clangVersion = 19;

export async function lint(env) {
  await run('npx', ['biome', 'ci', '--error-on-warnings'], { env });
  const sources = ['cpp', 'tests/cpp', 'bench/roofline'].flatMap(sourcesIn);
  await run(clangTool('clang-format'), ['--dry-run', '-Werror', ...sources], { env });
  await run('cmake', ['--preset', 'native'], { env });
  await tidy('native', 'cpp', [], env);
  await tidy('wasm-simd', 'cpp/bindings', await emscriptenFlags(env), env);
  await run('npm', ['run', 'typecheck'], { env });
  const demo = join(repository, 'demo');
  await installPackages(demo);
  await run('npm', ['run', 'check'], { cwd: demo, env });
}

/** clang-tidy over the sources of a folder that the preset compiles. */
async function tidy(preset, folder, flags, env) {
  const options = ['-quiet', '-j', '2', '-p', join('build', preset), ...flags.map((flag) => `-extra-arg=${flag}`)];
  await run(clangTool('run-clang-tidy'), [...options, `^${join(repository, folder)}/.*`], { env });
}

/** Of the flags that em++ adds by itself, those without which its headers are not found. */
async function emscriptenFlags(env) {
  const flags = await output(join(env.EMSCRIPTEN_ROOT, 'em++'), ['--cflags'], { env });
  return ['--target=wasm32-unknown-emscripten', flags.split(/\s+/).find((flag) => flag.startsWith('--sysroot='))];
}

/** Debian has the version in the name; elsewhere the plain name must be that version. */
function clangTool(name) {
  return findProgram(`${name}-${clangVersion}`) ?? name;
}

function sourcesIn(folder) {
  const files = readdirSync(join(repository, folder), { recursive: true });
  return files.filter((file) => /\.(hpp|cpp)$/.test(file)).map((file) => join(folder, file));
}
