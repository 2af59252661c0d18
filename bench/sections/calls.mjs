import { randomArray } from '../data.mjs';
import { variants, withEngines } from '../engines.mjs';
import { interleave, summary } from '../statistics.mjs';

const shape = [8, 16];
const calls = 1000;

/** What one call costs where there is next to nothing to compute. */
export const smallCalls = {
  name: 'calls',
  title: 'A small call: 8 tokens, 1 head of 16',
  columns: { inputs: 'inputs', variant: 'variant', microseconds: 'µs a call' },
  rows: ({ effort }) =>
    withEngines(async (engines) => {
      const kinds = variants.flatMap((variant) => [
        { inputs: 'resident tensors', variant, run: resident(engines[variant]) },
        { inputs: 'plain arrays', variant, run: arrays(engines[variant]) },
      ]);
      const times = await interleave(Object.fromEntries(kinds.map(({ run }, at) => [at, run])), effort);
      return kinds.map(({ inputs, variant }, at) => ({
        inputs,
        variant,
        microseconds: summary(times[at].map((time) => (time / calls) * 1000)),
      }));
    }),
};

const array = (seed) => ({ data: randomArray(shape[0] * shape[1], seed), shape });

function resident(engine) {
  const [q, k, v] = [1, 2, 3].map((seed) => engine.tensor(array(seed)));
  const out = engine.zeros(shape);
  return () => {
    for (let count = 0; count < calls; count++) engine.scaledDotProductAttention(q, k, v, { out });
  };
}

function arrays(engine) {
  const [q, k, v] = [1, 2, 3].map(array);
  return () => {
    for (let count = 0; count < calls; count++) engine.scaledDotProductAttention(q, k, v);
  };
}
