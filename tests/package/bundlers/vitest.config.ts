import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/package/bundlers/*.test.mjs'],
    globalSetup: 'tests/package/bundlers/setup.mjs',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
