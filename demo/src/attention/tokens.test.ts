import { expect, test } from 'vitest';
import { carry, isolated, isRepeated, pieceText, words } from './tokens';

test('pieces that continue a word stay with it', () => {
  expect(words(['[CLS]', 'trans', '##form', '##er', 'is', '[SEP]'])).toEqual([[0], [1, 2, 3], [4], [5]]);
  expect(words(['<s>', '▁trans', 'former', '▁is'])).toEqual([[0], [1, 2], [3]]);
  expect(words(['trans', 'former', 'Ġis'])).toEqual([[0, 1], [2]]);
});

test('a part of the text has the same words, from where it begins', () => {
  expect(words(['[CLS]', 'trans', '##form', '##er', 'is', '[SEP]'], [2, 5])).toEqual([[2, 3], [4]]);
});

test('pieces are read without their marks', () => {
  expect(['##er', 'Ġis', '▁is', '▁', 'Ċ', 'it'].map(pieceText)).toEqual(['er', 'is', 'is', '␣', '⏎', 'it']);
});

test('what runs from right to left is kept apart, and nothing else', () => {
  for (const text of ['את', '##ن', '“של”.', '\u202eabc', '𞤀𞤁']) expect(isolated(text)).toBe(`\u2068${text}\u2069`);
  for (const text of ['', 'animal', '7', '→', 'ü', 'ελ', '猫', '😀']) expect(isolated(text)).toBe(text);
});

test('a repeated token is told by its place', () => {
  expect(isRepeated(['the', 'cat', 'the'], 0)).toBe(true);
  expect(isRepeated(['the', 'cat', 'the'], 1)).toBe(false);
});

test('tokens before and after an edit are the same ones', () => {
  const before = ['a', 'b', 'c', 'd'];
  const after = ['a', 'x', 'y', 'c', 'd'];
  expect(before.map((_, i) => carry(before, after, i))).toEqual([0, null, 3, 4]);
});

test('a token in the middle of repeats is not counted from both sides', () => {
  expect([0, 1, 2].map((i) => carry(['a', 'a', 'a'], ['a', 'a'], i))).toEqual([0, 1, null]);
});
