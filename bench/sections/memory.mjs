// What a call holds beside its inputs and outputs, as the module itself counts it.
import { createAttention } from '../../dist/index.js';
import { randomArray } from '../data.mjs';

const size = 64;

export const memory = {
  name: 'memory',
  title: 'Memory beside inputs and outputs, 1 head of 64',
  columns: { call: 'call', bytes: 'bytes' },
  rows: async ({ quick }) => {
    const [length, mapped] = quick ? [4096, 4096] : [16_384, 32_768];
    return [
      await measure(`attention, ${length} tokens`, length, (engine, q, out) =>
        engine.scaledDotProductAttention(q, q, q, { out }),
      ),
      await measure(`attentionMap of 1,024 × 1,024, ${mapped} tokens`, mapped, (engine, q) =>
        engine.attentionMap(q, q, { size: [1024, 1024] }),
      ),
    ];
  },
};

/** In an engine that makes no other call, which its high-water mark would count too. */
async function measure(call, length, run) {
  const engine = await createAttention();
  const shape = [length, size];
  const tensor = engine.tensor({ data: randomArray(length * size), shape });
  run(engine, tensor, engine.zeros(shape));
  const bytes = engine.info.highWaterBytes;
  engine.dispose();
  return { call, bytes };
}
