// Which lines and branches the tests run: of the core by its own tests, of the package by those in Node.js.
//   npm run coverage [-- core] [-- package]
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build, buildPreset } from './build.mjs';
import { Failure, main, output, repository, run } from './lib/run.mjs';
import { installPackages, setup } from './setup.mjs';

const folder = join(repository, 'build/coverage');

async function ofCore(env) {
  await buildPreset('coverage', env);
  const programs = ['attention_tests', 'attention_faults'].map((name) => join(folder, 'tests/cpp', name));
  for (const program of programs) {
    await run(program, ['--reporter', 'compact'], { env: { ...env, LLVM_PROFILE_FILE: `${program}.profraw` } });
  }
  const profile = join(folder, 'all.profdata');
  await run('llvm-profdata-19', ['merge', '-o', profile, ...programs.map((program) => `${program}.profraw`)], { env });
  const args = ['export', '-format=lcov', `-instr-profile=${profile}`, programs[0], '-object', programs[1]];
  return output('llvm-cov-19', [...args, join(repository, 'cpp')], { env });
}

async function ofPackage(env) {
  await build(env);
  const own = join(repository, 'tests/coverage');
  await installPackages(own);
  const raw = join(folder, 'package');
  rmSync(raw, { recursive: true, force: true });
  mkdirSync(raw, { recursive: true });
  const config = 'tests/coverage/vitest.config.ts';
  const files = readdirSync(join(repository, 'tests/web')).filter((name) => name.endsWith('.test.ts'));
  const tests = ['npx', 'vitest', 'run', '--config', config, ...files.map((name) => `tests/web/${name}`)];
  const which = ['--all', '--src', 'dist', '--include', 'dist/**/*.js', '--exclude', 'dist/*-module.js'];
  const args = [...which, '--reporter', 'lcovonly', '--reports-dir', raw, '--temp-directory', join(raw, 'v8')];
  await run(process.execPath, [join(own, 'node_modules/c8/bin/c8.js'), ...args, ...tests], { env });
  return readFileSync(join(raw, 'lcov.info'), 'utf8');
}

/** One line a file: shares, and the lines that no test ran. */
function report(title, lcov) {
  const all = { lines: [0, 0], branches: [0, 0] };
  console.log(`\n${title}`);
  for (const record of lcov.split('end_of_record')) {
    const file = /SF:(.*)/.exec(record)?.[1];
    if (!file) continue;
    const counts = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(([, line, count]) => [Number(line), Number(count)]);
    const branches = [...record.matchAll(/^BRDA:.*,(\d+|-)$/gm)].map(([, taken]) => Number(taken.replace('-', '0')));
    const missed = counts.filter(([, count]) => count === 0).map(([line]) => line);
    const taken = branches.filter((count) => count > 0).length;
    all.lines[0] += counts.length - missed.length;
    all.lines[1] += counts.length;
    all.branches[0] += taken;
    all.branches[1] += branches.length;
    if (missed.length === 0 && taken === branches.length) continue;
    const name = relative(repository, resolve(repository, file));
    console.log(`  ${name}: ${branches.length - taken} of ${branches.length} branches, lines ${ranges(missed)}`);
  }
  const share = ([part, whole]) => `${((100 * part) / whole).toFixed(1)} % of ${whole}`;
  console.log(`${title}: lines ${share(all.lines)}, branches ${share(all.branches)}`);
}

function ranges(lines) {
  const found = [];
  for (const line of lines) {
    if (found.at(-1)?.[1] === line - 1) found.at(-1)[1] = line;
    else found.push([line, line]);
  }
  return found.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(' ') || 'none';
}

await main(import.meta.url, async () => {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => name !== 'core' && name !== 'package');
  if (unknown) throw new Failure(`No part is called '${unknown}': core or package.`);
  const isFor = (name) => wanted.length === 0 || wanted.includes(name);
  const env = await setup({ native: true, coverage: true });
  if (isFor('core')) report('core', await ofCore(env));
  if (isFor('package')) report('package', await ofPackage(env));
});
