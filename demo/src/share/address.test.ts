import fc from 'fast-check';
import { expect, test } from 'vitest';
import { panels } from '../state/panel';
import { fromHash, type Shared, toHash } from './address';

const index = fc.nat(16_384);
const range = fc
  .tuple(fc.nat(8000), fc.integer({ min: 1, max: 8000 }))
  .map(([from, length]) => [from, from + length] as const);
const shared: fc.Arbitrary<Shared> = fc.record({
  text: fc.string({ unit: 'grapheme', maxLength: 200 }),
  model: fc.constantFrom('int8' as const, 'float16' as const, 'no-positions' as const, 'long' as const),
  length: fc.integer({ min: 16, max: 16_384 }),
  mask: fc.record({
    causal: fc.boolean(),
    window: fc.option(index),
    padding: fc.nat(100),
    globals: fc.array(index, { maxLength: 5 }),
    blocks: fc.array(fc.record({ rows: range, columns: range }), { maxLength: 4 }),
  }),
  ablated: fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 9 }),
  temperature: fc.constantFrom(0.25, 0.5, 1, 1.35, 4),
  lens: fc.constantFrom(
    { kind: 'heads' as const, hideSeparators: true, weighting: 'value' as const },
    { kind: 'heads' as const, hideSeparators: false, weighting: 'attention' as const },
    { kind: 'rollout' as const, hideSeparators: false, weighting: 'attention' as const },
  ),
  place: fc.record({ layer: index, head: index }),
  locked: fc.array(fc.record({ query: index, key: index }), { minLength: 1, maxLength: 9 }),
  panel: fc.constantFrom(...panels),
  lesson: fc.constantFrom('positions', 'many-heads'),
});

test('what goes into an address comes out of it', () => {
  fc.assert(
    fc.property(shared, (state) => {
      const { length, lesson, ...rest } = fromHash(`#${toHash(state)}`);
      const { length: itsLength, lesson: itsLesson, ...expected } = state;
      expect(rest).toEqual(expected);
      // Of these two only where they mean something.
      expect(length).toBe(state.model === 'long' ? itsLength : undefined);
      expect(lesson).toBe(state.panel === 'learn' ? itsLesson : undefined);
    }),
  );
});

test('the usual state makes a short address', () => {
  const usual = fromHash('');
  expect(toHash({ ...usual, place: { layer: 3, head: 1 } })).toBe('layer=3&head=1');
});

test('no address throws, and none gets anything in that the page does not know', () => {
  const names = [
    'text',
    'model',
    'length',
    'layer',
    'head',
    'pairs',
    'show',
    'hide',
    'mask',
    'off',
    'temperature',
    'panel',
    'lesson',
  ];
  const crafted = fc.constantFrom(
    'own',
    '-1',
    '1e9',
    'NaN',
    '__proto__',
    '<img src=x>',
    'window.',
    'block.3.1.0.9',
    '%',
    '0-',
    '9.9.9',
    '9999999',
  );
  const field = fc
    .tuple(fc.constantFrom(...names), fc.oneof(fc.string(), crafted))
    .map(([name, value]) => `${name}=${value}`);
  const hash = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(field).map((fields) => fields.join('&')),
  );
  fc.assert(
    fc.property(hash, (text) => {
      const {
        model,
        length,
        place,
        locked = [],
        mask,
        ablated = [],
        temperature,
        panel,
        lesson,
      } = fromHash(`#${text}`);
      expect(lesson ?? 'none').toMatch(/^[a-z-]+$/);
      expect(['int8', 'float16', 'no-positions', 'long']).toContain(model);
      expect(panels).toContain(panel);
      expect(temperature).toBeGreaterThan(0);
      const numbers = [
        ...(place ? [place.layer, place.head] : []),
        ...locked.flatMap(({ query, key }) => [query, key]),
        ...ablated.flat(),
        ...(length === undefined ? [] : [length]),
        ...(mask?.window == null ? [] : [mask.window]),
        ...(mask ? [mask.padding] : []),
        ...(mask?.globals ?? []),
        ...(mask?.blocks ?? []).flatMap(({ rows, columns }) => [...rows, ...columns]),
      ];
      for (const number of numbers) expect(number >= 0 && number <= 16_384 && Number.isInteger(number)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
