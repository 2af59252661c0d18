import { defineConfig } from 'vitest/config';
import { patience } from '../../patience.mjs';

export default defineConfig({
  test: {
    include: ['tests/package/bundlers/*.test.mjs'],
    globalSetup: 'tests/package/bundlers/setup.mjs',
    fileParallelism: false,
    ...patience,
  },
});
