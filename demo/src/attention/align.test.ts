import { expect, test } from 'vitest';
import { align } from './align';

const whole = (tokens: readonly string[]) => [0, tokens.length] as const;
const aligned = (ours: readonly string[], theirs: readonly string[]) => align(ours, whole(ours), theirs, whole(theirs));
const split = (text: string) => text.split(' ');

test('as many tokens are compared position by position, whatever they are', () => {
  expect(aligned(split('a b c'), split('a x c'))).toEqual({ by: 'position', ours: [0, 1, 2], theirs: [0, 1, 2] });
  expect(align(split('[CLS] a b [SEP]'), [1, 3], split('a b'), [0, 2])).toEqual({
    by: 'position',
    ours: [1, 2],
    theirs: [0, 1],
  });
});

test.each([
  ['a word more', 'the old animal was tired', 'the animal was tired', [0, 2, 3, 4], [0, 1, 2, 3]],
  ['a word less', 'the animal was', 'the animal was tired', [0, 1, 2], [0, 1, 2]],
  ['a word in place of two', 'a b c x e', 'a b c d d e', [0, 1, 2, 4], [0, 1, 2, 5]],
  ['nothing in common', 'a b', 'c', [], []],
  ['nothing at all', 'a', '', [], []],
  ['repeated words are used once', 'a a a', 'a a', [0, 1], [0, 1]],
])('texts of different lengths: %s', (_, ours, theirs, expected, expectedTheirs) => {
  expect(aligned(split(ours), theirs ? split(theirs) : [])).toEqual({
    by: 'token',
    ours: expected,
    theirs: expectedTheirs,
  });
});

test('no common subsequence is longer', () => {
  let state = 7;
  const random = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  for (let round = 0; round < 200; round++) {
    const ours = Array.from({ length: 2 + random(8) }, () => 'abc'[random(3)]);
    const theirs = Array.from({ length: 1 + random(7) }, () => 'abc'[random(3)]);
    if (ours.length === theirs.length) continue;
    const { ours: mine, theirs: others } = aligned(ours, theirs);
    expect(mine.map((i) => ours[i])).toEqual(others.map((i) => theirs[i]));
    for (const list of [mine, others]) expect(list.every((index, i) => i === 0 || index > list[i - 1])).toBe(true);
    expect(mine.length).toBe(longest(ours, theirs));
  }
});

test('of texts too long to search, what they begin and end with alike', () => {
  const ours = ['s', ...Array.from({ length: 3000 }, (_, i) => `a${i}`), 'e'];
  const theirs = ['s', ...Array.from({ length: 2999 }, (_, i) => `a${i + 1}`), 'x', 'y', 'e'];
  expect(aligned(ours, theirs)).toEqual({ by: 'token', ours: [0, 3001], theirs: [0, 3002] });
});

/** Tries every subsequence. */
function longest(a: string[], b: string[]): number {
  let best = 0;
  for (let chosen = 0; chosen < 2 ** a.length; chosen++) {
    const wanted = a.filter((_, i) => chosen & (1 << i));
    let at = 0;
    for (const token of b) if (token === wanted[at]) at++;
    if (at === wanted.length) best = Math.max(best, at);
  }
  return best;
}
