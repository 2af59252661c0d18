import { expect, test } from 'vitest';
import { cutTokens, TOKEN_LIMIT } from './limits';

const encode = (text: string) => {
  const tokens = ['[CLS]', ...text.split(' ').filter(Boolean), '[SEP]'];
  return { tokens, ids: tokens.map((_, i) => i) };
};

test('a text within the limit is whole', () => {
  const { tokens, cut } = cutTokens('a '.repeat(510), encode, 512);
  expect(tokens).toHaveLength(512);
  expect(cut).toBeNull();
});

test('a longer one is cut, keeps its closing token, and says so', () => {
  const { ids, tokens, cut } = cutTokens('a '.repeat(600), encode, 512);
  expect(tokens).toHaveLength(512);
  expect(tokens.at(-1)).toBe('[SEP]');
  expect(ids.at(-1)).toBe(601);
  expect(cut).toEqual({ kept: 512, total: 602, atLeast: false });
});

test('a text that nothing closes is cut where the model ends', () => {
  const { tokens } = cutTokens('a b c d e', (text) => ({ tokens: text.split(' '), ids: [0, 1, 2, 3, 4] }), 3);
  expect(tokens).toEqual(['a', 'b', 'c']);
});

test('a pasted book is not read to its end, nor kept by a model without one', () => {
  const { tokens, cut } = cutTokens('a '.repeat(1e6), encode, 1e6);
  expect(tokens).toHaveLength(TOKEN_LIMIT);
  expect(cut).toMatchObject({ kept: TOKEN_LIMIT, atLeast: true });
  expect(cut?.total).toBeLessThan(1e5);
});
