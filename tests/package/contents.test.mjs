import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { build } from 'vite';
import { expect, inject, test } from 'vitest';
import { deadLinks } from './links.mjs';

const installed = () => join(inject('consumer'), 'node_modules/attention-wasm');
const manifest = () => JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8'));

test('publint finds nothing', async () => {
  const { messages } = await publint({ pkgDir: installed(), strict: true });
  expect(messages.map((message) => formatMessage(message, manifest(), { color: false }))).toEqual([]);
});

test('attw finds the types of every entry', () => {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@arethetypeswrong/cli/package.json'));
  const attw = join(folder, require('@arethetypeswrong/cli/package.json').bin.attw);
  const report = run(process.execPath, [attw, '--profile', 'esm-only', '--no-emoji', inject('tarball')]);
  expect(report.status, report.output).toBe(0);
});

test('has no dependency and no file but its own', () => {
  expect(Object.keys(manifest())).not.toContain('dependencies');
  const beside = readdirSync(join(installed(), '..')).filter((name) => !name.startsWith('.'));
  expect(beside).toEqual(['attention-wasm']);
  const pages = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'];
  expect(readdirSync(installed()).sort()).toEqual([...pages, 'dist', 'docs', 'examples', 'package.json']);
});

test('every link of every page leads to a file or heading of the package', () => {
  expect(deadLinks(installed())).toEqual([]);
});

test.each([
  ['a file that is not there', '[a](b.md)'],
  ['an image that is not there', '![a](docs/b.png)'],
  ['a heading that is not there', '# Here\n\n[a](#there)'],
  ['a heading of a file that is no page', '[a](data.txt#there)'],
  ['a file above the package', '[a](../package.json)'],
  ['a link in HTML', '<a href="b.md">a</a>'],
])('%s is a dead link', (_, text) => {
  const folder = mkdtempSync(join(tmpdir(), 'attention-wasm-links-'));
  try {
    writeFileSync(join(folder, 'data.txt'), '');
    writeFileSync(
      join(folder, 'page.md'),
      `${text}\n\n[alive](data.txt), [too](#a-b-c), [and](https://example.org)\n\n## A, \`b\` *c*`,
    );
    expect(deadLinks(folder)).toHaveLength(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the index of the documentation lists every page of it', () => {
  const docs = join(installed(), 'docs');
  const index = readFileSync(join(docs, 'README.md'), 'utf8');
  const pages = readdirSync(docs, { recursive: true }).filter((name) => name.endsWith('.md') && name !== 'README.md');
  expect(pages.filter((page) => !index.includes(`](${page})`))).toEqual([]);
});

test('bundlers keep the one file that does something when it is imported', async () => {
  const root = inject('consumer');
  writeFileSync(join(root, 'entry-only.js'), "import 'attention-wasm/worker-entry';\n");
  const input = join(root, 'entry-only.js');
  const built = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    build: { write: false, rollupOptions: { input } },
  });
  const code = built.output.map((chunk) => chunk.code ?? '').join('');
  expect(code).toContain('addEventListener');
  expect(code).toContain('started');
});

test('the version that the code tells is the manifest’s', async () => {
  const { version } = await import(pathToFileURL(join(installed(), 'dist/version.js')).href);
  expect(version).toBe(manifest().version);
});

test('the tarball is at most 1 MB', () => {
  expect(statSync(inject('tarball')).size).toBeLessThanOrEqual(1_000_000);
});

const variants = ['simd', 'relaxed-simd', 'simd-threads', 'relaxed-simd-threads'];
test.each(variants.map((variant) => `attention-${variant}.wasm`))('%s is small', (file) => {
  const bytes = readFileSync(join(installed(), 'dist', file));
  expect(bytes.length).toBeGreaterThan(0);
  expect(bytes.length).toBeLessThanOrEqual(170_000);
  expect(brotliCompressSync(bytes).length).toBeLessThanOrEqual(66_000);
});

test('the glue of threads makes no worker by itself, and the loader makes them of literal options', () => {
  const read = (file) => readFileSync(join(installed(), 'dist', file), 'utf8');
  const glue = read('attention-threads-module.js');
  expect(glue).toContain('Module.makeWorker()');
  expect(glue).not.toMatch(/new Worker|workerOptions|import\.meta|\bimport\b *[({*'"]|\brequire\(/);
  const made = read('load/thread-workers.js').match(/new Worker\([^;]*;/g);
  expect(made).toHaveLength(2);
  for (const construction of made) expect(construction).toMatch(/, \{ [^{}]* \}\);$/);
});

function run(command, args) {
  try {
    return { status: 0, output: execFileSync(command, args, { encoding: 'utf8' }) };
  } catch (error) {
    return { status: error.status, output: error.stdout };
  }
}
