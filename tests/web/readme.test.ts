import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { version } from '../../dist/version.js';

const root = new URL('../../', import.meta.url);
const text = (file: string) => readFileSync(new URL(file, root), 'utf8');

/** The first fenced block of a language. */
function block(language: string): string {
  const found = text('README.md').match(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``));
  if (!found) throw new Error(`README.md has no ${language} block`);
  return found[1] as string;
}

test("the README's ten lines print what the README says", () => {
  const code = block('js');
  expect(code.split('\n').filter((line) => line.trim() !== '')).toHaveLength(10);
  // Inside the repository, where the package's name resolves to the package itself.
  const folder = new URL('build/readme/', root);
  mkdirSync(folder, { recursive: true });
  const file = new URL('example.mjs', folder);
  writeFileSync(file, code);
  expect(execFileSync(process.execPath, [fileURLToPath(file)], { encoding: 'utf8' })).toBe(block('text'));
});

test('the version is the manifest’s', () => {
  expect(version).toBe(JSON.parse(text('package.json')).version);
});
