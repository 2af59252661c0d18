// Child processes: shown as they are, or logged to a file with a sign of life for the wordy ones.
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = resolve(fileURLToPath(import.meta.url), '../../..');
export const toolsFolder = join(repository, '.tools');

/** A failure explained in its message; a stack trace would add nothing. */
export class Failure extends Error {}

/** Runs `body` when the module with this URL is the script that Node was started with. */
export async function main(moduleUrl, body) {
  const [, script] = process.argv;
  if (!script || realpathSync(script) !== fileURLToPath(moduleUrl)) return;
  try {
    await body();
  } catch (error) {
    console.error(error instanceof Failure ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}

/** Runs a command in the repository with its output shown; fails when the command does. */
export async function run(command, args, { cwd = repository, env = process.env } = {}) {
  console.log(`> ${commandLine(command, args)}`);
  const status = await finished(start(command, args, { cwd, env, stdio: 'inherit' }));
  if (status !== 0) throw new Failure(`'${commandLine(command, args)}' failed (${status}).`);
}

/** What a command prints, trimmed; fails with its error output when the command does. */
export async function output(command, args, options = {}) {
  const child = start(command, args, { cwd: repository, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const status = await finished(child);
  if (status !== 0) throw new Failure(`'${commandLine(command, args)}' failed (${status}).\n${errors.trim()}`);
  return text.trim();
}

/** Where a program is: its path in the first of the folders that has it, or undefined. */
export function findProgram(name, folders = (process.env.PATH ?? '').split(delimiter)) {
  const suffixes = process.platform === 'win32' ? ['.exe', '.bat', '.cmd'] : [''];
  const candidates = folders.flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)));
  return candidates.find((path) => existsSync(path));
}

/** Runs a wordy command with its output in .tools/<log>; shows every ten seconds what it is at. */
export async function runLogged(title, log, command, args, { cwd = repository, env = process.env, advice = '' } = {}) {
  console.log(title);
  mkdirSync(toolsFolder, { recursive: true });
  const file = join(toolsFolder, log);
  let notWritten;
  const stream = createWriteStream(file).on('error', (error) => (notWritten = error));
  const child = start(command, args, { cwd, env, stdio: ['inherit', 'pipe', 'pipe'] });
  const began = Date.now();
  let lastLine = '';
  for (const source of [child.stdout, child.stderr]) {
    source.on('data', (chunk) => {
      stream.write(chunk);
      lastLine = String(chunk).trimEnd().split('\n').at(-1);
    });
  }
  const signOfLife = setInterval(() => {
    console.log(`  ${Math.round((Date.now() - began) / 1000)} s: ${lastLine.slice(0, 100)}`);
  }, 10_000);
  const status = await finished(child).finally(() => clearInterval(signOfLife));
  await new Promise((done) => stream.end(done));
  // npm warns of a full disk, and no more.
  if (status === 0 && !notWritten) return;
  const tail =
    `${readFileSync(file, 'utf8').trimEnd().split('\n').slice(-25).join('\n')}\n${notWritten?.message ?? ''}`.trim();
  const failure = `'${commandLine(command, args)}' failed (${status}); the whole log is in ${file}.`;
  const isDiskFull = /ENOSPC|No space left/i.test(tail);
  throw new Failure(['', tail, '', failure, isDiskFull ? diskAdvice : advice].join('\n').trim());
}

const diskAdvice = `The disk is full. To see where: df -h ${repository} /tmp /var
Everything together takes 10 GB. When there is room, run the same command again.`;

/** A command as typed; many arguments are cut short, as the file names of a whole source tree hide all else. */
function commandLine(command, args) {
  const line = [command, ...args].join(' ');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function start(command, args, options) {
  // On Windows npm, npx and em++ are batch files, which only a shell can start.
  return spawn(command, args, { ...options, shell: process.platform === 'win32' && command !== process.execPath });
}

function finished(child) {
  return new Promise((done, fail) => {
    child.on('error', (error) => fail(new Failure(`Cannot start ${child.spawnfile}: ${error.message}.`)));
    child.on('close', (code, signal) => done(code ?? signal));
  });
}
