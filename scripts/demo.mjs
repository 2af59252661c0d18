// Builds the attention explorer and serves it: npm run demo [-- --plain | --build-only]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { Failure, main, repository, run } from './lib/run.mjs';
import { isolation, serve } from './lib/serve.mjs';
import { installPackages, setup } from './setup.mjs';

const demo = join(repository, 'demo');

/** Builds the static page into demo/dist from the package in build/package. */
export async function buildDemo(env) {
  await installPackages(demo);
  await run('npm', ['run', 'build'], { cwd: demo, env });
}

function readFlags() {
  try {
    // plain: as most hosts serve, without the headers that threads need.
    return parseArgs({ options: { plain: { type: 'boolean' }, 'build-only': { type: 'boolean' } } }).values;
  } catch (error) {
    throw new Failure(error.message);
  }
}

await main(import.meta.url, async () => {
  const { plain, 'build-only': buildOnly } = readFlags();
  const env = await setup();
  await build(env);
  await buildDemo(env);
  if (buildOnly) return;
  const headers = plain ? {} : isolation;
  const { url } = await serve({ root: join(demo, 'dist'), port: Number(process.env.PORT ?? 4173), headers });
  console.log(`\nThe attention explorer is at ${url} (Ctrl+C ends it).`);
});
