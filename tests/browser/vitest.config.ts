import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/browser/*.test.mjs'],
    pool: 'forks',
    maxWorkers: 2, // Browsers wait more than they work, and nothing is measured here.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
