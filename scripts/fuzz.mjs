// Fuzzes the core with libFuzzer and the package with fast-check, two at a time, and tells what was done.
//   npm run fuzz [-- --seconds N] [name...]      60 seconds each by default; all of them without a name
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testTimeout } from '../tests/patience.mjs';
import { build, buildPreset } from './build.mjs';
import { Failure, main, repository, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

const folder = join(repository, 'build/fuzz');
const ofCore = ['attention', 'cache', 'block_map', 'wire'];
const ofPackage = ['checkpoints', 'masks', 'api'];

const program = (name) => join(folder, 'tests/fuzz', `fuzz_${name}`);
const seeds = (name) => join(repository, 'tests/fuzz/corpus', name);
// Refused memory is a result here, not a finding.
const limits = ['-timeout=300', '-rss_limit_mb=3000', '-malloc_limit_mb=100000'];
const sanitizers = { ASAN_OPTIONS: 'allocator_may_return_null=1' };

/** Builds the fuzzers of the core and runs each over its seeds, once. */
export async function runSeeds(env) {
  await buildPreset('fuzz', env);
  for (const name of ofCore) {
    await run(program(name), ['-runs=0', ...limits, seeds(name)], { env: { ...env, ...sanitizers } });
  }
}

/** Starts with the seeds beside the fuzzers; what it finds stays in build/fuzz, for the next run. */
function coreCommand(name, seconds) {
  const corpus = join(folder, 'corpus', name);
  mkdirSync(corpus, { recursive: true });
  const shape = ['-max_len=1024', '-len_control=0', '-print_final_stats=1', `-artifact_prefix=${folder}/${name}-`];
  const args = [`-max_total_time=${seconds}`, ...limits, ...shape, corpus, seeds(name)];
  return { command: program(name), args, env: { ...process.env, ...sanitizers } };
}

function packageCommand(name, seconds) {
  const args = ['vitest', 'run', `--testTimeout=${testTimeout + 2000 * seconds}`, `tests/web/fuzz/${name}.test.ts`];
  return { command: 'npx', args, env: { ...process.env, FUZZ_SECONDS: String(seconds) } };
}

/** Runs one; its whole output is in build/fuzz/<name>.log. */
async function fuzz(name, seconds) {
  const { command, args, env } = ofCore.includes(name) ? coreCommand(name, seconds) : packageCommand(name, seconds);
  const child = spawn(command, args, { cwd: repository, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(join(folder, `${name}.log`));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      log.write(data);
      text = (text + data).slice(-200_000);
    });
  }
  const status = await new Promise((done) => child.on('close', done));
  log.end();
  return { name, status, done: ofCore.includes(name) ? coreFigures(name, text) : packageFigures(text) };
}

function coreFigures(name, text) {
  const [, executions = '0'] = /number_of_executed_units: (\d+)/.exec(text) ?? [];
  const [, cover = '?', features = '?'] = [...text.matchAll(/cov: (\d+) ft: (\d+)/g)].at(-1) ?? [];
  const corpus = readdirSync(join(folder, 'corpus', name)).length;
  return `${executions} executions, ${cover} edges and ${features} features covered, corpus ${corpus}`;
}

function packageFigures(text) {
  return [...text.matchAll(/fuzz (.*?): (\d+) cases/g)].map(([, what, cases]) => `${what} ${cases} cases`).join(', ');
}

await main(import.meta.url, async () => {
  const options = { seconds: { type: 'string', default: '60' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const seconds = Number(values.seconds);
  if (!(seconds >= 1)) throw new Failure(`--seconds wants a number of at least 1, not '${values.seconds}'.`);
  const all = [...ofCore, ...ofPackage];
  const unknown = positionals.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Failure(`No fuzzer is called '${unknown[0]}'. There are: ${all.join(', ')}.`);
  const names = positionals.length > 0 ? positionals : all;
  const env = await setup({ fuzz: true });
  await buildPreset('fuzz', env);
  if (names.some((name) => ofPackage.includes(name))) await build(env);
  console.log(`\n${names.length} fuzzers for ${seconds} s each, two at a time; their output is in ${folder}`);
  const waiting = [...names];
  const findings = [];
  const worker = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      const { status, done } = await fuzz(name, seconds);
      console.log(`${status === 0 ? 'nothing' : 'FOUND  '}  ${name.padEnd(12)} ${done}`);
      if (status !== 0) findings.push(name);
    }
  };
  await Promise.all([worker(), worker()]);
  if (findings.length > 0)
    throw new Failure(`Found something: ${findings.map((name) => `${folder}/${name}.log`).join(', ')}`);
});
