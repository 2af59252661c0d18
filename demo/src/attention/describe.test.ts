import { expect, test } from 'vitest';
import { noMask } from '../engine/mask';
import { changeText, excerpt, lensText, maskText, placeText } from './describe';

const lens = { kind: 'heads', hideSeparators: false, weighting: 'attention' } as const;

test('a head, or all of them so far', () => {
  expect(placeText({ layer: 3, head: 1, lens })).toBe('Layer 3, head 1');
  expect(placeText({ layer: 3, head: 0, lens: { ...lens, kind: 'rollout' } })).toBe('Rollout up to layer 3');
});

test('a lens says what was left out', () => {
  expect(lensText(lens)).toBe('weights');
  expect(lensText({ ...lens, weighting: 'value', hideSeparators: true })).toBe(
    'share of ‖α·v‖, renormalised without [CLS] and [SEP]',
  );
});

test('a mask in words, the own one of a model too', () => {
  expect(maskText(noMask)).toBe('no mask');
  expect(maskText(noMask, true)).toBe('causal');
  const block = { rows: [0, 1], columns: [0, 1] } as const;
  expect(maskText({ causal: true, window: 4, padding: 2, globals: [0], blocks: [block, block] })).toBe(
    'causal, window 4, 1 global, 2 padded, 2 blocks painted',
  );
});

test('only what was changed is told', () => {
  const pass = { model: 'int8', text: '', length: 0, mask: noMask, ablated: [], temperature: 1 } as const;
  expect(changeText(pass)).toBe('');
  expect(changeText({ ...pass, ablated: [[0, 1]], temperature: 0.5 })).toBe('1 head off, temperature 0.5');
});

test('an excerpt is one line, and no character is halved', () => {
  expect(excerpt(' a\n b\t c ', 10)).toBe('a b c');
  expect(excerpt('one two three', 5)).toBe('one…');
  expect(excerpt('😀😀😀😀', 3)).toBe('😀😀…');
  expect(excerpt(' של את על', 6)).toBe('\u2068של את…\u2069');
});
