import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('./fixtures/large-arrays.mjs', import.meta.url));

// An array of JavaScript's of 16 million numbers takes 128 MB, twice the heap there is.
test.each(['bfloat16', 'bfloat16 in a model', 'float64', 'a float64 mask', 'flags of blocks'])(
  'no second array is made of 16 million values: %s',
  (what) => {
    expect(execFileSync(process.execPath, ['--max-old-space-size=64', script, what], { stdio: 'pipe' }).length).toBe(0);
  },
);
