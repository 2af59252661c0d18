import { createAttention } from '../dist/index.js';
import { interleave, median } from './statistics.mjs';

const shape = [8, 16];
const calls = 1000;

/** What one call costs where there is next to nothing to compute. */
export async function callRows() {
  const engine = await createAttention();
  const { variant } = engine.info;
  const array = () => ({ data: Float32Array.from({ length: 8 * 16 }, Math.random), shape });
  const arrays = [array(), array(), array()];
  const tensors = arrays.map((value) => engine.tensor(value));
  const out = engine.zeros(shape);
  const repeat = (call) => () => {
    for (let count = 0; count < calls; count++) call();
  };
  const times = await interleave(
    {
      'resident tensors': repeat(() => engine.scaledDotProductAttention(...tensors, { out })),
      'plain arrays': repeat(() => engine.scaledDotProductAttention(...arrays)),
    },
    21,
  );
  engine.dispose();
  return Object.entries(times).map(([inputs, values]) => ({
    inputs,
    variant,
    'µs a call': Number(((median(values) / calls) * 1000).toPrecision(3)),
  }));
}
