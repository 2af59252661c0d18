// Builds the attention explorer and serves it: npm run demo
import { join } from 'node:path';
import { build } from './build.mjs';
import { main, repository, run } from './lib/run.mjs';
import { serve } from './lib/serve.mjs';
import { installPackages, setup } from './setup.mjs';

const demo = join(repository, 'demo');

/** Builds the static page into demo/dist from the package in build/package. */
export async function buildDemo(env) {
  await installPackages(demo);
  await run('npm', ['run', 'build'], { cwd: demo, env });
}

await main(import.meta.url, async () => {
  const env = await setup();
  await build(env);
  await buildDemo(env);
  const { url } = await serve({ root: join(demo, 'dist'), port: Number(process.env.PORT ?? 4173) });
  console.log(`\nThe attention explorer is at ${url} (Ctrl+C ends it).`);
});
