import { checkBatch, type Place, type Rule } from './rule.js';

/** The keys a query at position p attends to; neither end falls as p grows. */
interface Interval {
  from(query: number): number;
  end(query: number): number;
}

const fromFirst = () => 0;

export function causal(): Rule {
  return sameForAll({ from: fromFirst, end: (query) => query + 1 });
}

/** p - left <= j <= p + right, -1 being no limit. */
export function slidingWindow(left: number, right: number): Rule {
  return sameForAll({
    from: left < 0 ? fromFirst : (query) => query - left,
    end: right < 0 ? () => Number.POSITIVE_INFINITY : (query) => query + right + 1,
  });
}

/** j < lengths[b]. */
export function keyLengths(lengths: readonly number[]): Rule {
  return {
    ...intervals(({ batch }) => {
      const length = lengths[batch] as number;
      return { from: fromFirst, end: () => length };
    }),
    perBatch: true,
    check: (call) => checkBatch('lengths', lengths.length, call),
  };
}

/** j < prefix or j <= p: the "prefix LM" of Raffel et al. 2020, section 3.2.1. */
export function sharedPrefix(prefix: number): Rule {
  return sameForAll(prefixInterval(prefix));
}

export function prefixes(lengths: readonly number[]): Rule {
  return {
    ...intervals(({ batch }) => prefixInterval(lengths[batch] as number)),
    perBatch: true,
    check: (call) => checkBatch('prefix lengths', lengths.length, call),
  };
}

function prefixInterval(prefix: number): Interval {
  return { from: fromFirst, end: (query) => Math.max(prefix, query + 1) };
}

function sameForAll(interval: Interval): Rule {
  return { ...intervals(() => interval), perBatch: false };
}

function intervals(at: (place: Place) => Interval): Pick<Rule, 'perHead' | 'over'> {
  return {
    perHead: false,
    over(place) {
      const { from, end } = at(place);
      return {
        coverage(queries, keys) {
          const last = queries.end - 1;
          if (end(last) <= keys.first || from(queries.first) >= keys.end) return 'empty';
          return from(last) <= keys.first && end(queries.first) >= keys.end ? 'full' : 'partial';
        },
        mark(query, keys, marks) {
          const first = Math.max(from(query), keys.first);
          marks.fill(1, first - keys.first, Math.max(first, Math.min(end(query), keys.end)) - keys.first);
        },
      };
    },
  };
}
