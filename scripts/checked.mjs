// Runs tests of the package over modules that stop where a stack overflows, and builds the usual ones again.
//   npm run test:checked
import { buildPreset } from './build.mjs';
import { main, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

const presets = ['wasm-simd', 'wasm-relaxed', 'wasm-simd-threads', 'wasm-relaxed-threads'];
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

/** The presets say OFF, so that any later build is a usual one. */
async function buildChecked(env) {
  for (const preset of presets) {
    await run('cmake', ['--preset', preset, '-DATTENTION_CHECKED=ON'], { env });
    await run('cmake', ['--build', '--preset', preset], { env });
  }
}

await main(import.meta.url, async () => {
  const env = await setup();
  try {
    await buildChecked(env);
    await run('npx', ['vitest', 'run', ...tests.map((name) => `tests/web/${name}`)], { env });
  } finally {
    for (const preset of presets) await buildPreset(preset, env);
  }
});
