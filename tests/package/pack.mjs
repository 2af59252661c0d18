// Packs the package and installs it in a folder outside of the repository, as a user would.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Provides the tests with `tarball` and with `consumer`, the folder it is installed in. */
export default function setup(project) {
  const folder = mkdtempSync(join(tmpdir(), 'attention-wasm-'));
  const shell = process.platform === 'win32'; // There npm is a batch file.
  const npm = (cwd, ...args) => execFileSync('npm', args, { cwd, encoding: 'utf8', shell });
  const tarball = join(folder, npm(repository, 'pack', '--silent', '--pack-destination', folder).trim());
  const consumer = join(folder, 'consumer');
  cpSync(join(import.meta.dirname, 'consumer'), consumer, { recursive: true });
  cpSync(join(repository, 'tests/browser/page/oracle.js'), join(consumer, 'oracle.js'));
  cpSync(join(repository, 'tests/engines/cases'), join(consumer, 'cases'), { recursive: true });
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  npm(consumer, 'install', '--offline', '--no-audit', '--no-fund', tarball);
  project.provide('tarball', tarball);
  project.provide('consumer', consumer);
  return () => rmSync(folder, { recursive: true });
}
