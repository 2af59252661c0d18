import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attends, isMasked, type MaskSpec, noMask, ruleOf } from './mask';

const size = fc.integer({ min: 1, max: 70 });
const range = fc.tuple(fc.nat(75), fc.nat(20)).map(([from, length]) => [from, from + length] as const);
const spec: fc.Arbitrary<MaskSpec> = fc.record({
  causal: fc.boolean(),
  window: fc.option(fc.nat(80)),
  padding: fc.nat(5),
  globals: fc.array(fc.nat(80), { maxLength: 3 }),
  blocks: fc.array(fc.record({ rows: range, columns: range }), { maxLength: 2 }),
});

test('the engine hides what the page says is hidden', () => {
  fc.assert(
    fc.property(spec, size, (mask, tokens) => {
      const dense = ruleOf(mask, tokens)?.toDense({ queries: tokens, keys: tokens }).data;
      const page = Uint8Array.from({ length: tokens ** 2 }, (_, i) =>
        Number(attends(mask, tokens, Math.floor(i / tokens), i % tokens)),
      );
      expect(page).toEqual(dense ?? new Uint8Array(tokens ** 2).fill(1));
    }),
    { numRuns: 200 },
  );
});

test('a mask that hides nothing is none', () => {
  expect(ruleOf(noMask, 9)).toBeNull();
  expect(isMasked(noMask)).toBe(false);
  expect(isMasked({ ...noMask, window: 0 })).toBe(true);
});

test('a global token sees past the window and is seen', () => {
  const mask = { ...noMask, window: 1, globals: [0] };
  expect(attends(mask, 9, 0, 8)).toBe(true);
  expect(attends(mask, 9, 8, 0)).toBe(true);
  expect(attends(mask, 9, 8, 1)).toBe(false);
});
