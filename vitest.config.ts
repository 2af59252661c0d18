import { defineConfig } from 'vitest/config';
import { patience } from './tests/patience.mjs';

// Node 20 has relaxed SIMD behind a flag; from 22 on it is on and the flag is refused.
const [major = 0] = process.versions.node.split('.').map(Number);

export default defineConfig({
  test: {
    include: ['tests/web/**/*.test.ts', 'tests/bench/*.test.mjs', 'demo/src/**/*.test.ts', 'demo/scripts/*.test.mjs'],
    setupFiles: ['tests/web/equal-bytes.ts'],
    pool: 'forks', // worker threads take no V8 flags
    execArgv: major < 22 ? ['--experimental-wasm-relaxed-simd'] : [],
    maxWorkers: 2,
    ...patience,
    // The package under test runs as it was built: Node loads it by itself, Vite transforms nothing of it.
    server: { deps: { external: [/\/dist\/.*\.js$/] } },
  },
});
