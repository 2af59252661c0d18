import { defineConfig } from 'vitest/config';
import { patience } from '../patience.mjs';

export default defineConfig({
  test: {
    include: ['tests/browser/*.test.mjs'],
    pool: 'forks',
    maxWorkers: 2, // Browsers wait more than they work, and nothing is measured here.
    ...patience,
  },
});
