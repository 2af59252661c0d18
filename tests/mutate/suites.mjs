// The two suites that mutations are run against, built and run in the copy.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Failure } from '../../scripts/lib/run.mjs';
import { copy } from './copy.mjs';

/** A broken loop need not end. */
const longest = 180_000;

/**
 * build() makes what run(tests) runs, up to the first test that fails: its name, or undefined where all pass. `tests` are
 * tags of Catch2 or files of Vitest.
 */
export const suites = {
  cpp: {
    async build() {
      // Two jobs: the machine has other things to do.
      const args = ['--build', '--preset', 'native', '-j', '2', '--target', 'attention_tests', 'attention_faults'];
      await succeed('cmake', args);
    },
    async run(tests) {
      const ofFaults = tests.filter((tag) => tag === '[faults]');
      const others = tests.filter((tag) => tag !== '[faults]');
      return (await runTags('attention_tests', others)) ?? (await runTags('attention_faults', ofFaults));
    },
  },
  node: {
    async build() {
      await succeed(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'web', '--noCheck']);
    },
    async run(tests) {
      // One seed, so that a mutation that is killed once is killed always.
      const env = { ...process.env, ATTENTION_WASM_SEED: '1' };
      const args = ['node_modules/vitest/vitest.mjs', 'run', '--bail', '1', '--reporter', 'json', ...tests];
      const ended = await finish(process.execPath, args, { env });
      if (ended.status === 0) return undefined;
      return ended.signal ?? failedTest(ended.text) ?? unexplained(ended);
    },
  },
};

/** In one of the programs; the test that fails there, or undefined. */
async function runTags(name, tags) {
  if (tags.length === 0) return undefined;
  const program = join(copy, 'build', 'native', 'tests', 'cpp', name);
  const ended = await finish(program, ['--abort', '--reporter', 'xml', tags.join(',')]);
  if (ended.status === 0) return undefined;
  // Aborted at the first failure: the last test that was begun is the one.
  return ended.signal ?? fromXml(lastOf(ended.text, /<TestCase name="([^"]*)"/g)) ?? unexplained(ended);
}

export function configureNative() {
  return succeed('cmake', ['--preset', 'native']);
}

let running;

/**
 * Ends the command under way with all that it started. Ninja puts compilers into groups of their own and ends them when
 * it is told to end, which it cannot hear of a SIGKILL.
 */
export function endRunning(signal = 'SIGTERM') {
  if (running) process.kill(-running.pid, signal);
}

async function succeed(command, args) {
  const ended = await finish(command, args);
  if (ended.status !== 0) throw unexplained(ended);
}

/** Runs a command in the copy, as the head of a process group of its own. */
function finish(command, args, { env = process.env } = {}) {
  const child = spawn(command, args, { cwd: copy, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running = child;
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  const limit = setTimeout(() => endRunning('SIGKILL'), longest);
  return new Promise((done, fail) => {
    child.on('error', (error) => fail(new Failure(`Cannot start ${command}: ${error.message}.`)));
    child.on('close', (status, signal) => done({ command: [command, ...args].join(' '), status, signal, text }));
  }).finally(() => {
    clearTimeout(limit);
    running = undefined;
  });
}

/** A mutant that does not build, or tests that do not run, prove nothing. */
function unexplained({ command, text, status, signal }) {
  const tail = text.trimEnd().split('\n').slice(-25).join('\n');
  throw new Failure(`${tail}\n\n'${command}' failed (${signal ?? status}) without a failing test.`);
}

function lastOf(text, pattern) {
  return [...text.matchAll(pattern)].at(-1)?.[1];
}

function fromXml(text) {
  return text
    ?.replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

/** Of Vitest's JSON, which follows whatever the tests printed. */
function failedTest(text) {
  const start = text.indexOf('{"numTotalTestSuites"');
  if (start < 0) return undefined;
  const { testResults } = JSON.parse(text.slice(start, text.lastIndexOf('}') + 1));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return tests.find(({ status }) => status === 'failed')?.fullName;
}
