import { readFile } from 'node:fs/promises';
import { brotliCompressSync } from 'node:zlib';

export function sizeRows() {
  return Promise.all(
    ['attention-simd.wasm', 'attention-relaxed-simd.wasm'].map(async (file) => {
      const bytes = await readFile(new URL(`../dist/${file}`, import.meta.url));
      return { file, 'raw bytes': bytes.length, 'brotli bytes': brotliCompressSync(bytes).length };
    }),
  );
}
