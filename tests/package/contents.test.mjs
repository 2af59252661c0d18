import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { expect, inject, test } from 'vitest';

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
  expect(readdirSync(installed()).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
});

test('the tarball is at most 1 MB', () => {
  expect(statSync(inject('tarball')).size).toBeLessThanOrEqual(1_000_000);
});

const variants = ['simd', 'relaxed-simd', 'simd-threads', 'relaxed-simd-threads'];
test.each(variants.map((variant) => `attention-${variant}.wasm`))('%s is small', (file) => {
  const bytes = readFileSync(join(installed(), 'dist', file));
  expect(bytes.length).toBeGreaterThan(0);
  expect(bytes.length).toBeLessThanOrEqual(150_000);
  expect(brotliCompressSync(bytes).length).toBeLessThanOrEqual(60_000);
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
