import { expect, test } from 'vitest';
import { carry, isRepeated, pieceText, words } from './tokens';

test('the pieces of a word stay together', () => {
  expect(words(['[CLS]', 'un', '##bel', '##ie', 'yes', '##s', '[SEP]'])).toEqual([[0], [1, 2, 3], [4, 5], [6]]);
  expect(words([])).toEqual([]);
  expect(words(['##s'])).toEqual([[0]]);
  expect(['##s', '#', 'a##'].map(pieceText)).toEqual(['s', '#', 'a##']);
});

test('only a token that stands twice needs its position', () => {
  const tokens = ['the', 'animal', 'the'];
  expect(tokens.map((_, i) => isRepeated(tokens, i))).toEqual([true, false, true]);
});

const words4 = ['[CLS]', 'the', 'animal', 'was', 'tired', '[SEP]'];

test.each([
  ['appended after it', [...words4.slice(0, 5), 'today', '[SEP]'], 2, 2],
  ['inserted before it', ['[CLS]', 'the', 'old', ...words4.slice(2)], 2, 3],
  ['deleted before it', ['[CLS]', ...words4.slice(2)], 2, 1],
  ['changed into another', ['[CLS]', 'the', 'street', 'was', 'tired', '[SEP]'], 2, null],
  ['deleted itself', ['[CLS]', 'the', 'was', 'tired', '[SEP]'], 2, null],
  ['the last one, text appended', [...words4.slice(0, 5), 'today', '[SEP]'], 5, 6],
  ['everything gone', [], 2, null],
])('a token is followed through an edit: %s', (_, after, from, to) => {
  expect(carry(words4, after, from)).toBe(to);
});

test('a repeated word is not counted from both ends', () => {
  expect(carry(['a', 'a'], ['a'], 1)).toBeNull();
  expect(carry(['a', 'a'], ['a', 'a', 'a'], 1)).toBe(1);
});
