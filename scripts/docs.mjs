// Builds the documentation into build/site, static files with the explorer among them, and checks every link inside it
// and that its search finds the guides.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';
import { build } from './build.mjs';
import { buildDemo } from './demo.mjs';
import { Failure, main, repository, run } from './lib/run.mjs';
import { installPackages, setup } from './setup.mjs';

const folder = join(repository, 'docs/site');
const site = join(repository, 'build/site');
const require = createRequire(join(folder, 'package.json'));

export async function buildDocs(env) {
  await installPackages(folder);
  rmSync(site, { recursive: true, force: true });
  await run(process.execPath, ['node_modules/typedoc/bin/typedoc', '--options', 'typedoc.json'], { cwd: folder, env });
  cpSync(join(repository, 'demo/dist'), join(site, 'explorer'), { recursive: true });
  await checkLinks();
  checkSearch();
}

/** Of all pages but the explorer's, which has tests of its own. Other hosts are not asked. */
async function checkLinks() {
  const { LinkChecker } = await import(pathToFileURL(require.resolve('linkinator')).href);
  const result = await new LinkChecker().check({
    path: '/', // What is below it is crawled.
    serverRoot: site,
    recurse: true,
    linksToSkip: ['^https?://(?!localhost)', '/explorer/.+'],
  });
  const broken = result.links.filter(({ state }) => state === 'BROKEN');
  if (broken.length > 0)
    throw new Failure(`Links that lead nowhere:\n${broken.map(({ url, parent }) => `${parent} → ${url}`).join('\n')}`);
  console.log(`${result.links.length} links lead somewhere; the site is in build/site`);
}

/** The index of TypeDoc's search is JSON, deflated, in a string of a script. */
function checkSearch() {
  const [, packed] = readFileSync(join(site, 'assets/search.js'), 'utf8').match(/"(.*)"/);
  const { rows, index } = JSON.parse(inflateSync(Buffer.from(packed, 'base64')));
  const search = require('lunr').Index.load(index);
  const found = (words) => search.search(words).map(({ ref }) => rows[ref].name);
  const expected = {
    'beam search': 'Guides/Build a transformer',
    scaledDotProductAttention: 'scaledDotProductAttention',
  };
  for (const [words, name] of Object.entries(expected)) {
    if (!found(words).includes(name)) throw new Failure(`The search for '${words}' does not find '${name}'.`);
  }
}

await main(import.meta.url, async () => {
  const env = await setup();
  await build(env);
  await buildDemo(env);
  await buildDocs(env);
});
