import { roomFor } from '../arguments.js';
import { checkBatch, coverageOf, keysEnd, misfit, type Rule } from './rule.js';

/** Key j of batch entry b attends where values[b·width + j] is not 0: padding on either side, or in between. */
export function keyTable(values: ArrayLike<number>, batch: number, width: number): Rule {
  const counts = runningCounts(values, batch, width);
  return {
    perBatch: true,
    perHead: false,
    check(call) {
      checkBatch('an attention mask', batch, call);
      const keys = keysEnd(call);
      if (width < keys) throw misfit(call.argument, `an attention mask of ${width} keys`, `at least Skv = ${keys}`);
    },
    over({ batch: b }) {
      const start = b * (width + 1);
      const countIn = (first: number, end: number) =>
        (counts[start + end] as number) - (counts[start + first] as number);
      return {
        coverage(_, { first, end }) {
          const count = countIn(first, end);
          return coverageOf(count > 0, count === end - first);
        },
        mark(_, { first, end }, marks) {
          for (let key = first; key < end; key++) marks[key - first] = countIn(key, key + 1);
        },
      };
    },
  };
}

/** counts[b·(width + 1) + j]: how many of the keys before j attend. */
function runningCounts(values: ArrayLike<number>, batch: number, width: number): Int32Array {
  const counts = roomFor('lengths', batch * (width + 1));
  for (let b = 0; width > 0 && b < batch; b++) {
    const start = b * (width + 1);
    for (let j = 0; j < width; j++) {
      counts[start + j + 1] = (counts[start + j] as number) + (values[b * width + j] !== 0 ? 1 : 0);
    }
  }
  return counts;
}
