// workerd, the engine of Cloudflare Workers, with one worker of the package and of the checks.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const repository = join(import.meta.dirname, '../../..');
const program = join(
  import.meta.dirname,
  `../node_modules/@cloudflare/workerd-linux-${process.arch === 'arm64' ? 'arm64' : '64'}/bin/workerd`,
);

/** Starts it as it was on a date: newer dates have more of the web. `ask` gives what a check gives. */
export async function startWorkerd(date) {
  const folder = mkdtempSync(join(tmpdir(), 'attention-wasm-workerd-'));
  writeFileSync(join(folder, 'config.capnp'), configOf(date, copied(folder)));
  const child = spawn(program, ['serve', 'config.capnp', '--socket-addr=http=127.0.0.1:0', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const close = () => {
    child.kill();
    rmSync(folder, { recursive: true });
  };
  try {
    const port = await portOf(child);
    const ask = async (...call) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(call) });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    };
    return { ask, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Copies what the worker is made of into the folder, and names its files. */
function copied(folder) {
  cpSync(join(repository, 'dist'), join(folder, 'dist'), { recursive: true });
  for (const name of ['workerd', 'cases', 'torture', 'checks.js', 'digests.js'])
    cpSync(join(import.meta.dirname, '..', name), join(folder, name), { recursive: true });
  return readdirSync(folder, { recursive: true });
}

function configOf(date, files) {
  const first = 'workerd/main.js';
  const scripts = [first, ...files.filter((name) => name.endsWith('.js') && name !== first)];
  const modules = [
    ...scripts.map((name) => `(name = "${name}", esModule = embed "${name}")`),
    ...files.filter((name) => name.endsWith('.wasm')).map((name) => `(name = "${name}", wasm = embed "${name}")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "files", disk = (path = "${repository}")),
    (name = "main", worker = (
      compatibilityDate = "${date}",
      modules = [${modules.join(', ')}],
      bindings = [(name = "files", service = "files")],
    )),
  ],
  sockets = [(name = "http", http = (), service = "main")],
);
`;
}

/** Where it listens, as it says by itself. */
function portOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`workerd ended with ${code}`)));
    createInterface({ input: child.stdio[3] }).on('line', (line) => {
      const { event, port } = JSON.parse(line);
      if (event === 'listen') resolve(port);
    });
  });
}
