/** Which tokens of two texts are compared: token `ours[i]` with token `theirs[i]`, both rising. */
export interface Alignment {
  /** By position, where both have as many; else only the tokens that both texts have, in order. */
  by: 'position' | 'token';
  ours: readonly number[];
  theirs: readonly number[];
}

type Range = readonly [number, number];

/** Beyond it the middles of two texts are not searched: what they begin and end with alike is compared still. */
const mostCells = 4_000_000;

export function align(
  ours: readonly string[],
  ourRange: Range,
  theirs: readonly string[],
  theirRange: Range,
): Alignment {
  const [from, to] = ourRange;
  const [first, last] = theirRange;
  if (to - from === last - first) return { by: 'position', ours: counted(from, to), theirs: counted(first, last) };

  const shorter = Math.min(to - from, last - first);
  let before = 0;
  while (before < shorter && ours[from + before] === theirs[first + before]) before++;
  let after = 0;
  while (after < shorter - before && ours[to - 1 - after] === theirs[last - 1 - after]) after++;
  const middle = longestCommon(ours.slice(from + before, to - after), theirs.slice(first + before, last - after));
  return {
    by: 'token',
    ours: [...counted(from, from + before), ...middle.map(([i]) => from + before + i), ...counted(to - after, to)],
    theirs: [
      ...counted(first, first + before),
      ...middle.map(([, j]) => first + before + j),
      ...counted(last - after, last),
    ],
  };
}

/** From the tokens of one side to those of the other; null where one has no counterpart. */
export function counterparts(from: readonly number[], to: readonly number[]): (token: number) => number | null {
  const places = new Map(from.map((token, i) => [token, to[i]]));
  return (token) => places.get(token) ?? null;
}

const counted = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** A longest common subsequence, as pairs of indices. */
function longestCommon(a: readonly string[], b: readonly string[]): [number, number][] {
  if (a.length * b.length > mostCells) return [];
  const width = b.length + 1;
  // Of the rest from (i, j) on.
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] = a[i] === b[j] ? lengths[at + width + 1] + 1 : Math.max(lengths[at + width], lengths[at + 1]);
    }
  }
  const pairs: [number, number][] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const at = i * width + j;
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (lengths[at + width] >= lengths[at + 1]) i++;
    else j++;
  }
  return pairs;
}
