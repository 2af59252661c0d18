import { type Coverage, checkBatch, fromPositionZero, misfit, type Plane, type Range, type Rule } from './rule.js';

/** Keys are summed up in stretches of this many. */
const stretch = 64;

/** ids[p] == ids[j]. One list for all batch entries, or one for each. */
export function documents(lists: readonly Int32Array[], perBatch: boolean): Rule {
  const planes = lists.map((ids) => fromPositionZero(documentPlane(ids)));
  return {
    perBatch,
    perHead: false,
    check(call) {
      if (perBatch) checkBatch('ids', lists.length, call);
      call.extents.forEach(({ queries, keys, offset }, b) => {
        const { length } = lists[perBatch ? b : 0] as Int32Array;
        const needed = Math.max(keys, queries > 0 ? queries + offset : 0);
        if (length >= needed) return;
        throw misfit(call.argument, `${length} ids`, `at least ${needed}, one for each position of batch entry ${b}`);
      });
    },
    over: ({ batch }) => planes[perBatch ? batch : 0] as Plane,
  };
}

/** The least and the greatest id of a range. */
interface Span {
  least: number;
  most: number;
}

function documentPlane(ids: Int32Array): Plane {
  const spans = Array.from({ length: Math.ceil(ids.length / stretch) }, (_, i) =>
    spanOf(ids, i * stretch, Math.min((i + 1) * stretch, ids.length)),
  );
  return {
    coverage(queries, keys) {
      const asked = spanOf(ids, queries.first, queries.end);
      let whole: Coverage | undefined;
      for (let i = Math.floor(keys.first / stretch); i * stretch < keys.end; i++) {
        const part = match(asked, spans[i] as Span);
        if (part === 'partial' || (whole !== undefined && whole !== part)) return 'partial';
        whole = part;
      }
      return whole as Coverage;
    },
    mark(query: number, { first, end }: Range, marks) {
      const id = ids[query];
      for (let key = first; key < end; key++) if (ids[key] === id) marks[key - first] = 1;
    },
  };
}

function match(a: Span, b: Span): Coverage {
  if (a.most < b.least || b.most < a.least) return 'empty';
  return a.least === a.most && b.least === b.most ? 'full' : 'partial';
}

function spanOf(ids: Int32Array, first: number, end: number): Span {
  let least = ids[first] as number;
  let most = least;
  for (let i = first + 1; i < end; i++) {
    least = Math.min(least, ids[i] as number);
    most = Math.max(most, ids[i] as number);
  }
  return { least, most };
}
