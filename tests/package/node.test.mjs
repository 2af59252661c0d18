import { execFileSync } from 'node:child_process';
import { expect, inject, test } from 'vitest';

test.each([
  ['as it is', []],
  ['with no code from strings', ['--disallow-code-generation-from-strings']],
])('runs in Node %s', (_, flags) => {
  const printed = execFileSync(process.execPath, [...flags, 'node.js'], { cwd: inject('consumer'), encoding: 'utf8' });
  const { variant, shape, difference, tensors } = JSON.parse(printed);
  // Node 20 has relaxed SIMD behind a flag only.
  expect(variant).toBe(Number.parseInt(process.versions.node, 10) < 22 ? 'simd' : 'relaxed-simd');
  expect(shape).toEqual([2, 9, 12]);
  expect(difference).toBeLessThanOrEqual(4e-6);
  expect(tensors).toEqual(['answer']);
});
