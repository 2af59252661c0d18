// A copy of the repository to break: files are edited and built there, never in the working tree.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { Failure, output, repository } from '../../scripts/lib/run.mjs';

export const copy = join(repository, 'build', 'mutate');

/** Where files that the repository has no more would still be compiled or run. */
const swept = ['cpp', 'tests', 'web'];

/**
 * Brings the copy up to the working tree, whatever an earlier run left. Only what differs is written, so that builds
 * there stay incremental.
 */
export async function refreshCopy() {
  const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const names = (await output('git', listed)).split('\0').filter(Boolean);
  const files = names.filter((file) => existsSync(join(repository, file)));
  for (const folder of swept) removeOthers(folder, new Set(files));
  for (const file of files) refresh(file);
  for (const name of readdirSync(join(repository, 'dist'))) {
    // The TypeScript half is emitted in the copy; this half is the build's.
    if (/^attention-.*(wasm|module\.js)$/.test(name)) refresh(join('dist', name));
  }
  const packages = join(copy, 'node_modules');
  if (!existsSync(packages)) symlinkSync(join(repository, 'node_modules'), packages, 'junction');
}

/** Replaces the one place of a mutation in the copy; returns what puts it back. */
export function mutate({ name, file, find, replace }) {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  const places = text.split(find).length - 1;
  if (places !== 1)
    throw new Failure(`'${name}' no longer applies: its text is ${places} times in ${file}, wanted once.`);
  // As a function: '$' has a meaning in a replacement.
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
  return () => writeFileSync(path, text);
}

function refresh(file) {
  const [from, to] = [join(repository, file), join(copy, file)];
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function removeOthers(folder, files) {
  const root = join(copy, folder);
  if (!existsSync(root)) return;
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const file = path
      .slice(copy.length + 1)
      .split(sep)
      .join('/');
    if (entry.isFile() && !files.has(file)) rmSync(path);
  }
}
