// The packed package, installed beside every bundler in a folder outside of the repository.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Provides the tests with `project`, the folder. */
export default function setup(vitest) {
  const project = mkdtempSync(join(tmpdir(), 'attention-wasm-bundlers-'));
  const npm = (cwd, ...args) =>
    execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const tarball = join(project, npm(repository, 'pack', '--silent', '--pack-destination', project).trim());
  for (const file of ['package.json', 'package-lock.json'])
    cpSync(join(import.meta.dirname, file), join(project, file));
  cpSync(join(import.meta.dirname, '../consumer'), project, { recursive: true });
  cpSync(join(repository, 'tests/browser/page/oracle.js'), join(project, 'oracle.js'));
  cpSync(join(repository, 'tests/engines/cases'), join(project, 'cases'), { recursive: true });
  cpSync(join(import.meta.dirname, 'next'), project, { recursive: true });
  npm(project, 'ci', '--no-audit', '--no-fund');
  npm(project, 'install', '--no-save', '--no-audit', '--no-fund', '--prefer-offline', tarball);
  vitest.provide('project', project);
  return () => rmSync(project, { recursive: true, force: true });
}
