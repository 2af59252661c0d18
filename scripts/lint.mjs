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
  await tidyAll(env);
  await run('npm', ['run', 'typecheck'], { env });
  const demo = join(repository, 'demo');
  await installPackages(demo);
  await run('npm', ['run', 'check'], { cwd: demo, env });
}

/**
 * The analyzer and the compiler's warnings look at each file by itself, with what it includes by itself. All other checks
 * spend their time on what files include: they look at the library in two files of all, which takes a tenth. As it is
 * compiled for WebAssembly, the warnings do so too: of what is unused in a file they see nothing there.
 */
async function tidyAll(env) {
  const others = '-checks=-clang-analyzer-*,-bugprone-suspicious-include';
  const together = `(.*/unity_0_cxx\\.cxx|${repository}/cpp/src/.*)`;
  await tidy('tidy', `${repository}/cpp/src/`, ['-checks=-*,clang-analyzer-*,clang-diagnostic-*'], env);
  await tidy('tidy-together', together, [others], env);
  const flags = await emscriptenFlags(env);
  await tidy('tidy-wasm', together, [others, ...flags], env);
  await tidy('tidy-wasm-threads', together, [others, ...flags], env);
  await tidy('tidy-wasm-threads', `${repository}/cpp/bindings/`, flags, env);
}

/** clang-tidy over those of a preset's sources whose path begins so. */
async function tidy(preset, sources, options, env) {
  await run('cmake', ['--preset', preset], { env });
  const all = ['-quiet', '-j', '2', '-p', join('build', preset), ...options];
  await run(clangTool('run-clang-tidy'), [...all, `^${sources}`], { env });
}

/** Of the flags that em++ adds by itself, those without which its headers are not found. */
async function emscriptenFlags(env) {
  const flags = await output(join(env.EMSCRIPTEN_ROOT, 'em++'), ['--cflags'], { env });
  const sysroot = flags.split(/\s+/).find((flag) => flag.startsWith('--sysroot='));
  return ['--target=wasm32-unknown-emscripten', sysroot].map((flag) => `-extra-arg=${flag}`);
}

/** Debian has the version in the name; elsewhere the plain name must be that version. */
function clangTool(name) {
  return findProgram(`${name}-${clangVersion}`) ?? name;
}

function sourcesIn(folder) {
  const files = readdirSync(join(repository, folder), { recursive: true });
  return files.filter((file) => /\.(hpp|cpp)$/.test(file)).map((file) => join(folder, file));
}
