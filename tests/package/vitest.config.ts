import { defineConfig } from 'vitest/config';
import { patience } from '../patience.mjs';

export default defineConfig({
  test: {
    include: ['tests/package/*.test.mjs'],
    globalSetup: 'tests/package/pack.mjs',
    fileParallelism: false,
    ...patience,
  },
});
