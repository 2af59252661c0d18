// Builds the attention explorer and serves it: npm run demo [-- --plain | --build-only | --with-onnxruntime]
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

/** Puts into demo/dist what the page is raced against; the dependencies of the benchmarks pin it. */
async function addRace() {
  await installPackages(join(repository, 'bench'));
  const { addOnnxruntime } = await import('../demo/scripts/onnxruntime.mjs');
  await addOnnxruntime(join(demo, 'dist'));
}

function readFlags() {
  try {
    // plain: as most hosts serve, without the headers that threads need; with-onnxruntime: for the race in the speed panel.
    const names = ['plain', 'build-only', 'with-onnxruntime'];
    return parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'boolean' }])) }).values;
  } catch (error) {
    throw new Failure(error.message);
  }
}

await main(import.meta.url, async () => {
  const { plain, 'build-only': buildOnly, 'with-onnxruntime': withOnnxruntime } = readFlags();
  const env = await setup();
  await build(env);
  await buildDemo(env);
  if (withOnnxruntime) await addRace();
  if (buildOnly) return;
  const headers = plain ? {} : isolation;
  const { url } = await serve({ root: join(demo, 'dist'), port: Number(process.env.PORT ?? 4173), headers });
  console.log(`\nThe attention explorer is at ${url} (Ctrl+C ends it).`);
});
