// What a page fetches: the modules, and what a Vite build makes of one attention call besides.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'vite';
import { repository } from '../../scripts/lib/run.mjs';

const onnxruntime = new URL('../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm', import.meta.url);

export const sizes = {
  name: 'sizes',
  title: 'Bytes to fetch',
  columns: { file: 'file', raw: 'bytes', brotli: 'with brotli' },
  rows: async () => {
    const dist = join(repository, 'dist');
    const modules = (await readdir(dist)).filter((file) => file.endsWith('.wasm'));
    const files = modules.map(async (file) => row(file, await readFile(join(dist, file))));
    return [
      ...(await Promise.all(files)),
      row('JavaScript of one attention call', await bundledCall()),
      row('onnxruntime-web: its module', await readFile(onnxruntime)),
    ];
  },
};

const row = (file, bytes) => ({ file, raw: bytes.length, brotli: brotliCompressSync(bytes).length });

async function bundledCall() {
  const folder = await mkdtemp(join(repository, 'build', 'call-'));
  try {
    const entry = join(folder, 'call.js');
    await writeFile(entry, call);
    const options = { target: 'es2022', write: false, rolldownOptions: { input: entry } };
    const { output } = await build({ root: folder, configFile: false, logLevel: 'silent', build: options });
    return Buffer.concat(output.filter(({ type }) => type === 'chunk').map(({ code }) => Buffer.from(code)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const call = `
import { createAttention } from ${JSON.stringify(join(repository, 'dist/index.js'))};
const attention = await createAttention();
const x = { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] };
document.body.textContent = attention.scaledDotProductAttention(x, x, x).output.data.join();
`;
