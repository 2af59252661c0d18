// Every snippet of README.md and of the guides, as a reader runs it.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readersFolder } from './reader.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guides = readdirSync(join(root, 'docs/guide')).map((name) => `docs/guide/${name}`);
const pages = ['README.md', ...guides];
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');

let reader: ReturnType<typeof readersFolder>;
beforeAll(() => {
  reader = readersFolder();
});
afterAll(() => reader?.remove());

/** A js block, and the text block that says what it prints where one follows. */
const snippet = /```js\n([\s\S]*?)```\n(?:\n```text\n[\s\S]*?```\n)?/g;
/** A js block for a page of a browser: it is compiled, not run. */
const fragment = /```js page\n([\s\S]*?)```\n/g;
/** What the fences of a page begin with. */
const fencesOf = (text: string) => Array.from(text.matchAll(/^```(.*)\n[\s\S]*?^```$/gm), ([, name]) => name as string);

const blocksOf = (text: string, kind: RegExp) => Array.from(text.matchAll(kind), ([, code]) => code as string);

function run(name: string, code: string): string {
  const file = join(reader.folder, name);
  writeFileSync(file, code);
  return execFileSync(process.execPath, [file], { cwd: reader.folder, encoding: 'utf8' });
}

/** README.md: each block is a file of its own. */
const outputsOfReadme = (blocks: string[]) => blocks.map((code, at) => run(`readme-${at}.mjs`, code));

const mark = '\u0000\n';

/** Guides: the first block is the preamble of all others, each of which has a scope of its own. */
function outputsOfGuide(page: string, [preamble, ...blocks]: string[]): string[] {
  const parts = blocks.map((code) => `process.stdout.write(${JSON.stringify(mark)});\n{\n${code}}\n`);
  return run(`${basename(page, '.md')}.mjs`, [preamble, ...parts].join('')).split(mark);
}

describe.each(pages)('%s', (page) => {
  const text = textOf(page);
  const blocks = blocksOf(text, snippet);

  test.runIf(blocks.length > 0)('every snippet prints what stands below it', async () => {
    const outputs = page === 'README.md' ? outputsOfReadme(blocks) : outputsOfGuide(page, blocks);
    let at = 0;
    const printed = text.replace(snippet, (_, code) => {
      const output = outputs[at++] as string;
      return `\`\`\`js\n${code}\`\`\`\n${output && `\n\`\`\`text\n${output}\`\`\`\n`}`;
    });
    expect(at).toBe(outputs.length);
    // A text block elsewhere would not be compared.
    expect(fencesOf(printed).filter((name) => name === 'text')).toHaveLength(outputs.filter(Boolean).length);
    // vitest -u writes what was printed into the page.
    await expect(printed).toMatchFileSnapshot(join(root, page));
  });

  test('no snippet goes without a check', () => {
    const scripts = fencesOf(text).filter((name) => /^(js|ts|mjs|javascript|typescript)/i.test(name));
    expect(scripts.filter((name) => name !== 'js' && name !== 'js page')).toEqual([]);
    expect(scripts).toHaveLength(blocks.length + blocksOf(text, fragment).length);
  });
});

test("README.md's first snippet is ten lines, and its snippets need nothing that it does not install", () => {
  const blocks = blocksOf(textOf('README.md'), snippet);
  expect(blocks[0]?.split('\n').filter((line) => line.trim() !== '')).toHaveLength(10);
  const installed = Array.from(textOf('README.md').matchAll(/^npm install (.*)$/gm), ([, names]) =>
    names?.split(' '),
  ).flat();
  const imported = blocks.flatMap((code) =>
    Array.from(code.matchAll(/ from '([^']+)';$/gm), ([, name]) => name as string),
  );
  const packages = imported
    .filter((name) => !name.startsWith('node:'))
    .map((name) => name.match(/^(@[^/]+\/)?[^/]+/)?.[0]);
  expect(new Set(packages)).toEqual(new Set(installed));
});

test('the fragments for pages compile', () => {
  const files = pages.flatMap((page) =>
    blocksOf(textOf(page), fragment).map((code, at) => {
      const name = `${basename(page, '.md')}-page-${at}.js`;
      writeFileSync(join(reader.folder, name), code);
      return name;
    }),
  );
  expect(files).not.toEqual([]);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = [
    '--noEmit',
    '--allowJs',
    '--checkJs',
    '--noImplicitAny',
    'false',
    '--types',
    '',
    '--target',
    'ESNext',
  ];
  const modules = ['--module', 'ESNext', '--moduleResolution', 'bundler', '--lib', 'ESNext,DOM', '--ignoreConfig'];
  const compiler = spawnSync(process.execPath, [tsc, ...options, ...modules, ...files], {
    cwd: reader.folder,
    encoding: 'utf8',
  });
  expect(compiler).toMatchObject({ status: 0, stdout: '' });
});
