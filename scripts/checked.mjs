// Runs tests of the package over modules that stop where a stack overflows, and builds the usual ones again.
//   npm run test:checked
import { build, buildPreset } from './build.mjs';
import { Failure, main, output, run } from './lib/run.mjs';
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

/** What becomes of an engine whose stack is too small for its first call. */
const load = `
import { createAttention } from './dist/index.js';
const told = await createAttention({ variant: 'simd' }).catch((error) => String(error.cause));
console.log(told);`;

await main(import.meta.url, async () => {
  const env = await setup();
  try {
    const checked = '-DATTENTION_CHECKED=ON';
    await build(env, [checked]);
    await buildPreset('wasm-simd', env, [checked, '-DATTENTION_STACK=2KB']);
    const told = await output(process.execPath, ['--input-type=module', '--eval', load]);
    if (!told.includes('overflow'))
      throw new Failure(`A stack of 2 KB is enough, or its overflow is not seen: ${told}`);
    console.log(`With a stack of 2 KB: ${told}`);
    await buildPreset('wasm-simd', env, [checked]);
    await run('npx', ['vitest', 'run', ...tests.map((name) => `tests/web/${name}`)], { env });
  } finally {
    // The presets say OFF, so that any other build is a usual one.
    await build(env);
  }
});
