// The engines without a page. Each check is a process of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const { arch } = process;
const installed = (path) => join(import.meta.dirname, 'node_modules', path);

export const node24 = installed(`node-24-${arch}/bin/node`);

const commands = {
  'this Node.js': [process.execPath],
  'Node.js 22': [installed(`node-22-${arch}/bin/node`)],
  'Node.js 24': [node24],
  'Node.js 26': [installed(`node-26-${arch}/bin/node`)],
  Deno: [installed(`@deno/linux-${arch}-glibc/deno`), 'run', '--allow-read', '--no-prompt'],
  Bun: [installed(`@oven/bun-linux-${arch === 'arm64' ? 'aarch64' : arch}/bin/bun`)],
};
export const runtimes = Object.keys(commands);

/** What checks.js gives for a name and arguments in this runtime. */
export async function askRuntime(runtime, name, ...args) {
  const [program, ...first] = commands[runtime];
  const given = [...first, 'run.mjs', name, ...args.map((argument) => JSON.stringify(argument))];
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1' };
  const { stdout } = await promisify(execFile)(program, given, { cwd: import.meta.dirname, env, maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}
