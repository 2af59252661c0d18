import { blockSize } from './bits.js';
import type { Coverage, Plane, Rule } from './rule.js';

export function intersection(left: Rule, right: Rule): Rule {
  return combined(left, right, {
    decisive: 'empty',
    merge(marks, others, count) {
      for (let i = 0; i < count; i++) marks[i] = (marks[i] as number) & (others[i] as number);
    },
  });
}

export function union(left: Rule, right: Rule): Rule {
  return combined(left, right, {
    decisive: 'full',
    merge(marks, others, count) {
      for (let i = 0; i < count; i++) marks[i] = (marks[i] as number) | (others[i] as number);
    },
  });
}

export function complement(rule: Rule): Rule {
  return {
    perBatch: rule.perBatch,
    perHead: rule.perHead,
    check: (call) => rule.check?.(call),
    over(place) {
      const plane = rule.over(place);
      return {
        coverage: (queries, keys) => opposite[plane.coverage(queries, keys)],
        mark(query, keys, marks) {
          plane.mark(query, keys, marks);
          for (let i = 0; i < keys.end - keys.first; i++) marks[i] = 1 - (marks[i] as number);
        },
      };
    },
  };
}

const opposite: Record<Coverage, Coverage> = { empty: 'full', partial: 'partial', full: 'empty' };

interface Operation {
  /** The coverage that decides alone, whatever the other rule says. */
  decisive: 'empty' | 'full';
  merge(marks: Uint8Array, others: Uint8Array, count: number): void;
}

function combined(left: Rule, right: Rule, { decisive, merge }: Operation): Rule {
  return {
    perBatch: left.perBatch || right.perBatch,
    perHead: left.perHead || right.perHead,
    check(call) {
      left.check?.(call);
      right.check?.(call);
    },
    over(place): Plane {
      const a = left.over(place);
      const b = right.over(place);
      const others = new Uint8Array(blockSize);
      return {
        coverage(queries, keys) {
          const first = a.coverage(queries, keys);
          if (first === decisive) return decisive;
          const second = b.coverage(queries, keys);
          return second === decisive || first === second ? second : 'partial';
        },
        mark(query, keys, marks) {
          others.fill(0);
          a.mark(query, keys, marks);
          b.mark(query, keys, others);
          merge(marks, others, keys.end - keys.first);
        },
      };
    },
  };
}
