import { defineConfig } from 'vitest/config';
import { patience } from '../patience.mjs';

export default defineConfig({
  test: {
    include: ['tests/engines/*.test.mjs'],
    maxConcurrency: 2, // processes of one thread each
    ...patience,
  },
});
