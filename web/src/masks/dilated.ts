import { intersection } from './combine.js';
import { slidingWindow } from './intervals.js';
import type { Rule } from './rule.js';

/** |p-j| <= window·dilation and (p-j) % dilation == 0: the dilated window of Beltagy et al. 2020, figure 2c. */
export function dilated(window: number, dilation: number): Rule {
  const reach = window * dilation;
  return intersection(slidingWindow(reach, reach), steps(dilation));
}

/** (p-j) % step == 0. */
function steps(step: number): Rule {
  return {
    perBatch: false,
    perHead: false,
    over: () => ({
      coverage(queries, keys) {
        if (step === 1) return 'full';
        const least = queries.first - (keys.end - 1);
        const most = queries.end - 1 - keys.first;
        return Math.ceil(least / step) * step <= most ? 'partial' : 'empty';
      },
      mark(query, keys, marks) {
        const past = (((query - keys.first) % step) + step) % step;
        for (let i = past; i < keys.end - keys.first; i += step) marks[i] = 1;
      },
    }),
  };
}
