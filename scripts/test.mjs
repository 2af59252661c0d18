// Runs everything that must pass, or one part of it: node scripts/test.mjs [lint|cpp|node|browsers|engines|package]
import { join } from 'node:path';
import { build, buildPreset } from './build.mjs';
import { buildDemo } from './demo.mjs';
import { runSeeds } from './fuzz.mjs';
import { Failure, main, repository, run } from './lib/run.mjs';
import { lint } from './lint.mjs';
import { installPackages, setup } from './setup.mjs';

const buildStep = { name: 'build', run: build };
const demoStep = { name: 'demo build', run: buildDemo };
const parts = {
  lint: [buildStep, { name: 'lint', run: lint }],
  cpp: [
    { name: 'C++ tests', run: (env) => testPreset('native', env) },
    { name: 'C++ tests, sanitized', run: (env) => testPreset('asan', env) },
    { name: 'C++ tests of threads', run: (env) => testPreset('tsan', env) },
    { name: 'seeds of the fuzzers', run: runSeeds },
  ],
  node: [buildStep, demoStep, { name: 'tests in Node.js', run: testNode }],
  browsers: [
    buildStep,
    demoStep,
    { name: 'tests in browsers', run: (env) => vitest('tests/browser/vitest.config.ts', env) },
    { name: 'tests of the explorer', run: (env) => vitest('tests/explorer/vitest.config.ts', env) },
  ],
  engines: [buildStep, { name: 'tests in engines', run: testEngines }],
  package: [buildStep, { name: 'package tests', run: (env) => vitest('tests/package/vitest.config.ts', env) }],
};

/** What a part runs beside its steps when it is asked for by name. */
const more = {
  package: [{ name: 'bundlers', run: testBundlers }],
};

async function testPreset(preset, env) {
  await buildPreset(preset, env);
  await run('ctest', ['--preset', preset], { env });
}

async function testNode(env) {
  await installPackages(join(repository, 'bench/charts'));
  await vitest('vitest.config.ts', env);
}

async function testEngines(env) {
  await installPackages(join(repository, 'tests/engines'));
  await vitest('tests/engines/vitest.config.ts', env);
}

async function testBundlers(env) {
  await installPackages(join(repository, 'tests/engines'));
  await vitest('tests/package/bundlers/vitest.config.ts', env);
}

function vitest(config, env) {
  return run('npx', ['vitest', 'run', '--config', config], { env });
}

/** Runs the steps in order up to the first that fails, and returns a row for each that ran. */
async function runSteps(steps) {
  const rows = [];
  let env;
  for (const step of steps) {
    console.log(`\n== ${step.name} ==`);
    const row = { name: step.name, began: Date.now() };
    rows.push(row);
    try {
      env = (await step.run(env)) ?? env;
    } catch (error) {
      row.error = error;
    }
    row.seconds = Math.round((Date.now() - row.began) / 1000);
    if (row.error) break;
  }
  return rows;
}

function report(rows) {
  console.log('');
  for (const { name, error, seconds } of rows) {
    console.log(`${error ? 'FAILED' : 'passed'}  ${name.padEnd(24)}${String(seconds).padStart(5)} s`);
  }
  const failed = rows.find(({ error }) => error);
  if (failed) {
    console.error(`\n${failed.name}: ${failed.error instanceof Failure ? failed.error.message : failed.error.stack}`);
    process.exitCode = 1;
  }
  console.log(`\n${rows.length - (failed ? 1 : 0)} passed, ${failed ? 1 : 0} failed`);
}

await main(import.meta.url, async () => {
  const [part] = process.argv.slice(2);
  if (part && !parts[part]) throw new Failure(`No part is called '${part}'. Parts: ${Object.keys(parts).join(', ')}.`);
  const wanted = part ? [part] : Object.keys(parts);
  const isFor = (...names) => names.some((name) => wanted.includes(name));
  const needs = {
    native: isFor('cpp', 'lint'),
    lint: isFor('lint'),
    fuzz: isFor('cpp'),
    browsers: isFor('browsers', 'engines', 'package'),
  };
  const setupStep = { name: 'set-up', run: () => setup(needs) };
  // A Set, since parts share steps.
  const steps = new Set(wanted.flatMap((name) => parts[name]));
  report(await runSteps([setupStep, ...steps, ...((part && more[part]) ?? [])]));
});
