import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/package/*.test.mjs'],
    globalSetup: 'tests/package/pack.mjs',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
