// Puts onnxruntime-web beside the built page, for the race in its speed panel. Needs the packages of bench/.
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { multiHeadAttention, standardAttention } from '../../bench/peers/attention-graphs.mjs';
import { encodeGraph } from '../../bench/peers/onnx.mjs';

const peer = new URL('../../bench/node_modules/onnxruntime-web/', import.meta.url);
const shape = { heads: 12, length: 512, size: 64 };
const module = 'ort.wasm.bundle.min.mjs';
const core = 'ort-wasm-simd-threaded.wasm';
const models = { Attention: 'attention.onnx', MultiHeadAttention: 'multi-head-attention.onnx' };

/** `dist` is the folder of the built page. */
export async function addOnnxruntime(dist) {
  const folder = join(dist, 'race');
  await mkdir(folder, { recursive: true });
  for (const file of [module, core]) await copyFile(new URL(`dist/${file}`, peer), join(folder, file));
  await writeFile(join(folder, models.Attention), encodeGraph(standardAttention(shape)));
  await writeFile(join(folder, models.MultiHeadAttention), encodeGraph(multiHeadAttention(shape)));
  const { version } = JSON.parse(await readFile(new URL('package.json', peer), 'utf8'));
  const theirs = await sizeOf([module, core].map((file) => join(folder, file)));
  const assets = await readdir(join(dist, 'assets'));
  const own = assets.filter((file) => /^racer-.*\.js$|^attention-relaxed-simd-(?!threads).*\.wasm$/.test(file));
  const ours = await sizeOf(own.map((file) => join(dist, 'assets', file)));
  await writeFile(
    join(folder, 'ort.json'),
    JSON.stringify({ version, module, models, shape, bytes: { ours, theirs } }),
  );
}

async function sizeOf(files) {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
