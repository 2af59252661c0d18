// Runs tests of the package over modules that stop where a stack overflows, and builds the usual ones again.
//   npm run test:checked
import { build } from './build.mjs';
import { main, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

/** What goes deepest, and what is largest. */
const tests = [
  'attention-',
  'errors',
  'exhausted',
  'hostile.',
  'kv-cache',
  'layers',
  'model-',
  'multi-head',
  'threads',
  'fuzz/',
];

await main(import.meta.url, async () => {
  const env = await setup();
  try {
    await build(env, ['-DATTENTION_CHECKED=ON']);
    await run('npx', ['vitest', 'run', ...tests.map((name) => `tests/web/${name}`)], { env });
  } finally {
    // The presets say OFF, so that any other build is a usual one.
    await build(env);
  }
});
