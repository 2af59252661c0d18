import { defineConfig } from 'vitest/config';
import { patience } from '../patience.mjs';

// Node 20 has relaxed SIMD behind a flag; Chromium has it on, and its numbers are compared with Node's.
const [major = 0] = process.versions.node.split('.').map(Number);

export default defineConfig({
  test: {
    include: ['tests/explorer/*.test.mjs'],
    pool: 'forks', // worker threads take no V8 flags
    execArgv: major < 22 ? ['--experimental-wasm-relaxed-simd'] : [],
    maxWorkers: 2, // Pages wait more than they work.
    ...patience,
    server: { deps: { external: [/\/dist\/.*\.js$/] } },
  },
});
