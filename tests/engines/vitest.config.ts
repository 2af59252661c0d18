import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/engines/*.test.mjs'],
    maxConcurrency: 2, // processes of one thread each
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
