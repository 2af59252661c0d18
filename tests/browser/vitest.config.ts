import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/browser/*.test.mjs'],
    fileParallelism: false, // Three browsers at once would measure each other.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
