import { expect, test } from 'vitest';
import { cutTokens, TOKEN_LIMIT } from './limits';

const encode = (text: string) => {
  const tokens = ['[CLS]', ...text.split(' ').filter(Boolean), '[SEP]'];
  return { tokens, ids: tokens.map((_, i) => i) };
};

test('a text within the limit is whole', () => {
  const text = 'a '.repeat(TOKEN_LIMIT - 2);
  const { tokens, cut } = cutTokens(text, encode, 512);
  expect(tokens).toHaveLength(TOKEN_LIMIT);
  expect(cut).toBeNull();
});

test('a longer one is cut, keeps its closing token, and says so', () => {
  const { ids, tokens, cut } = cutTokens('a '.repeat(300), encode, 512);
  expect(tokens).toHaveLength(TOKEN_LIMIT);
  expect(tokens.at(-1)).toBe('[SEP]');
  expect(ids.at(-1)).toBe(301);
  expect(cut).toEqual({ kept: TOKEN_LIMIT, total: 302, atLeast: false, modelLimit: 512 });
});

test('a smaller model limits first, and a pasted book is not read to its end', () => {
  const { tokens, cut } = cutTokens('a '.repeat(1e6), encode, 16);
  expect(tokens).toHaveLength(16);
  expect(cut).toMatchObject({ kept: 16, atLeast: true });
  expect(cut?.total).toBeLessThan(1e5);
});
