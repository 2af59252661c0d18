import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const guide = new URL('docs/guide/', root);
const pages = readdirSync(guide).filter((name) => name.endsWith('.md') && name !== 'README.md');
/** Commands and the settings of hosts. */
const isRun = (page: string) => !['deploy-the-explorer.md', 'bundlers-and-hosts.md'].includes(page);

/** A js block, and the text block that says what it prints where one follows. */
const snippet = /```js\n([\s\S]*?)```\n(?:\n```text\n[\s\S]*?```\n)?/g;
const mark = '\u0000\n';

/** The first block is the preamble of all others, each of which has a scope of its own. */
function outputsOf(page: string, text: string): string[] {
  const [preamble, ...blocks] = Array.from(text.matchAll(snippet), ([, code]) => code as string);
  const parts = blocks.map((code) => `process.stdout.write(${JSON.stringify(mark)});\n{\n${code}}\n`);
  // Inside the repository, where the package's name resolves to the package itself.
  const folder = new URL('build/guide/', root);
  mkdirSync(folder, { recursive: true });
  const file = fileURLToPath(new URL(`${basename(page, '.md')}.mjs`, folder));
  writeFileSync(file, [preamble, ...parts].join(''));
  return execFileSync(process.execPath, [file], { encoding: 'utf8' }).split(mark);
}

/** As GitHub makes them of headings. */
const anchorsOf = (text: string): string[] =>
  Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

describe.each(pages)('%s', (page) => {
  test.runIf(isRun(page))('every snippet prints what stands below it', async () => {
    const path = new URL(page, guide);
    const text = readFileSync(path, 'utf8');
    const outputs = outputsOf(page, text);
    expect(outputs.length).toBeGreaterThanOrEqual(6);
    // Fences of another name would not be run.
    expect(text.match(/^```.+/gm)?.filter((fence) => !/^```(js|text)$/.test(fence))).toEqual([]);
    let at = 0;
    const printed = text.replace(snippet, (_, code) => {
      const output = outputs[at++] as string;
      return `\`\`\`js\n${code}\`\`\`\n${output && `\n\`\`\`text\n${output}\`\`\`\n`}`;
    });
    expect(at).toBe(outputs.length);
    // A text block elsewhere would not be compared.
    expect(printed.match(/^```text$/gm)).toHaveLength(outputs.filter((output) => output !== '').length);
    // vitest -u writes what was printed into the page.
    await expect(printed).toMatchFileSnapshot(fileURLToPath(path));
  });

  test.skipIf(isRun(page))('has no snippet that should be run', () => {
    expect(readFileSync(new URL(page, guide), 'utf8').match(/^```(js|ts)/gm)).toBeNull();
  });

  test('every link inside the guide leads to a heading', () => {
    const own = readFileSync(new URL(page, guide), 'utf8');
    for (const [, file, anchor] of own.matchAll(/\]\(([\w-]*\.md)?(?:#([\w-]+))?\)/g)) {
      const target = file ? readFileSync(new URL(file, guide), 'utf8') : own;
      if (anchor) expect(anchorsOf(target)).toContain(anchor);
    }
  });
});
