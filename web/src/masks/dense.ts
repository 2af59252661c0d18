import { keysEnd, misfit, most, type Rule } from './rule.js';

/**
 * A bool mask over plain query and key indices, broadcast from the right to [B,H,Sq,Skv]; a last axis of 1 broadcasts,
 * another short one ends in "masked".
 */
export function dense(values: Uint8Array, dims: readonly number[]): Rule {
  const [batch, heads, queries, keys] = [...Array(4 - dims.length).fill(1), ...dims] as [
    number,
    number,
    number,
    number,
  ];
  return {
    perBatch: batch !== 1,
    perHead: heads !== 1,
    check(call) {
      const wanted = [
        call.extents.length,
        call.heads,
        most(call.extents, (extent) => extent.queries),
        keysEnd(call),
      ] as const;
      const isOneOr = (size: number, want: number) => size === 1 || size === want;
      const fits =
        isOneOr(batch, wanted[0]) &&
        isOneOr(heads, wanted[1]) &&
        isOneOr(queries, wanted[2]) &&
        (keys === 1 || keys <= wanted[3]);
      if (fits) return;
      throw misfit(call.argument, `a dense mask [${dims}]`, `one that broadcasts to [B,H,Sq,Skv] = [${wanted}]`);
    },
    over({ batch: b, head: h, extent }) {
      const start = ((batch === 1 ? 0 : b) * heads + (heads === 1 ? 0 : h)) * queries;
      return {
        // Looking is as much work as marking, which the compiler does with what is partial.
        coverage: () => 'partial',
        mark(query, { first, end }, marks) {
          const row = (start + (queries === 1 ? 0 : query - extent.offset)) * keys;
          const last = keys === 1 ? end : Math.min(end, keys);
          for (let key = first; key < last; key++) {
            marks[key - first] = values[row + (keys === 1 ? 0 : key)] !== 0 ? 1 : 0;
          }
        },
      };
    },
  };
}
