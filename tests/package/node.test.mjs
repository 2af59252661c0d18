import { execFileSync } from 'node:child_process';
import { expect, inject, test } from 'vitest';

test.each([
  ['as it is', []],
  ['with no code from strings', ['--disallow-code-generation-from-strings']],
])('runs in Node %s', (_, flags) => {
  const printed = execFileSync(process.execPath, [...flags, 'node.js'], { cwd: inject('consumer'), encoding: 'utf8' });
  // Node 20 has relaxed SIMD behind a flag only.
  const variant = Number.parseInt(process.versions.node, 10) < 22 ? 'simd' : 'relaxed-simd';
  const encoder = expect.toSatisfy((value) => value <= 2e-5);
  const common = {
    encoder,
    shape: [2, 9, 12],
    difference: expect.toSatisfy((value) => value <= 4e-6),
    tensors: ['answer'],
  };
  expect(JSON.parse(printed)).toEqual([
    { ...common, variant, threads: 1 },
    { ...common, variant: `${variant}-threads`, threads: 2 },
  ]);
});
