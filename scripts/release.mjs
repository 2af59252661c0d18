// Versions by changesets: npm run release [-- add | version | status]. Without a word it publishes what was built.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { main, repository, run } from './lib/run.mjs';
import { installPackages, setup } from './setup.mjs';

const folder = join(repository, 'scripts/release');

/** Changesets know package.json alone. */
function writeVersion() {
  const read = (file) => readFileSync(join(repository, file), 'utf8');
  const { version } = JSON.parse(read('package.json'));
  const lock = JSON.parse(read('package-lock.json'));
  lock.version = lock.packages[''].version = version;
  writeFileSync(join(repository, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
  const source = 'web/src/version.ts';
  writeFileSync(join(repository, source), read(source).replace(/= '[^']*'/, `= '${version}'`));
}

await main(import.meta.url, async () => {
  const [word = 'publish', ...rest] = process.argv.slice(2);
  await installPackages(folder);
  if (word === 'publish') await build(await setup());
  await run(process.execPath, [join(folder, 'node_modules/@changesets/cli/bin.js'), word, ...rest]);
  if (word === 'version') writeVersion();
});
