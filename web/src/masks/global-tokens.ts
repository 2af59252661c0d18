import { coverageOf, type Range, type Rule } from './rule.js';

/** p or j is one of the tokens: the global attention of Beltagy et al. 2020, section 3.1. */
export function globalTokens(indices: readonly number[]): Rule {
  const tokens = Int32Array.from(new Set(indices)).sort();
  const countIn = ({ first, end }: Range) => lowerBound(tokens, end) - lowerBound(tokens, first);
  return {
    perBatch: false,
    perHead: false,
    over: () => ({
      coverage(queries, keys) {
        const global = { queries: countIn(queries), keys: countIn(keys) };
        const all = global.queries === queries.end - queries.first || global.keys === keys.end - keys.first;
        return coverageOf(global.queries + global.keys > 0, all);
      },
      mark(query, keys, marks) {
        if (tokens[lowerBound(tokens, query)] === query) {
          marks.fill(1, 0, keys.end - keys.first);
          return;
        }
        const end = lowerBound(tokens, keys.end);
        for (let i = lowerBound(tokens, keys.first); i < end; i++) marks[(tokens[i] as number) - keys.first] = 1;
      },
    }),
  };
}

/** How many of the sorted `values` are below `limit`. */
function lowerBound(values: Int32Array, limit: number): number {
  let first = 0;
  let end = values.length;
  while (first < end) {
    const middle = (first + end) >> 1;
    if ((values[middle] as number) < limit) first = middle + 1;
    else end = middle;
  }
  return first;
}
