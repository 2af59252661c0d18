// Builds the documentation into build/site, static files with the explorer among them, and checks every link inside it.
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { buildDemo } from './demo.mjs';
import { Failure, main, repository, run } from './lib/run.mjs';
import { installPackages, setup } from './setup.mjs';

const folder = join(repository, 'docs/site');
const site = join(repository, 'build/site');

export async function buildDocs(env) {
  await installPackages(folder);
  rmSync(site, { recursive: true, force: true });
  await run(process.execPath, ['node_modules/typedoc/bin/typedoc', '--options', 'typedoc.json'], { cwd: folder, env });
  cpSync(join(repository, 'demo/dist'), join(site, 'explorer'), { recursive: true });
  await checkLinks();
}

/** Of all pages but the explorer's, which has tests of its own. Other hosts are not asked. */
async function checkLinks() {
  const { LinkChecker } = await import(
    pathToFileURL(createRequire(join(folder, 'package.json')).resolve('linkinator')).href
  );
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

await main(import.meta.url, async () => {
  const env = await setup();
  await build(env);
  await buildDemo(env);
  await buildDocs(env);
});
