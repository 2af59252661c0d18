// Versions by changesets: npm run release [-- add | version | status]. Without a word it publishes what was built.
import { join } from 'node:path';
import { build } from './build.mjs';
import { main, repository, run } from './lib/run.mjs';
import { installPackages, setup } from './setup.mjs';

const folder = join(repository, 'scripts/release');

await main(import.meta.url, async () => {
  const [word = 'publish', ...rest] = process.argv.slice(2);
  await installPackages(folder);
  if (word === 'publish') await build(await setup());
  await run(process.execPath, [join(folder, 'node_modules/@changesets/cli/bin.js'), word, ...rest]);
});
