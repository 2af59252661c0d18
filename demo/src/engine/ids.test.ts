import { expect, test } from 'vitest';
import { readIds } from './ids';

test('ids are separated by spaces, lines and commas', () => {
  expect(readIds(' 1, 403\n407,,261 ', 512)).toEqual({
    ids: [1, 403, 407, 261],
    tokens: ['1', '403', '407', '261'],
    strange: [],
  });
});

test('leaves out what is no id of the vocabulary, and tells of it', () => {
  const { ids, strange } = readIds('511 512 -1 1.5 it 0x10 1e2 99999999999 07', 512);
  expect(ids).toEqual([511, 7]);
  expect(strange).toEqual(['512', '-1', '1.5', 'it', '0x10', '1e2', '99999999999']);
});

test('no text has no ids', () => {
  expect(readIds(' , ', 512)).toEqual({ ids: [], tokens: [], strange: [] });
});
