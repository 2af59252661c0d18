import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Files of which a visitor needs some or none: variants of the core, weights, what starts threads, and what races. */
const isLater = (file: string) => /\.(wasm|safetensors)$|attention-threads-module|racer-/.test(file);

/** Builds src/service-worker.ts to `sw.js` and writes into it what files there are. */
export const serviceWorker: Plugin = {
  name: 'service-worker',
  apply: 'build',
  config: () => ({
    build: {
      rolldownOptions: {
        input: { index: 'index.html', sw: 'src/service-worker.ts' },
        output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
      },
    },
  }),
  writeBundle({ dir = '' }, bundle) {
    const worker = bundle['sw.js'];
    if (worker?.type !== 'chunk') throw new Error('The build has no sw.js.');
    // It is a classic script, which every engine takes as a service worker.
    if (worker.imports.length + worker.exports.length > 0) throw new Error('sw.js must neither import nor export.');
    const assets = readdirSync(join(dir, 'assets')).map((name) => `assets/${name}`);
    const now = [...assets.filter((file) => !isLater(file)), 'icon.svg', 'index.html', 'manifest.webmanifest'];
    const list = JSON.stringify({ now: now.sort(), later: assets.filter(isLater).sort() });
    const path = join(dir, 'sw.js');
    const code = readFileSync(path, 'utf8');
    if (!code.includes('__FILES__')) throw new Error('sw.js has no place for the list of files.');
    writeFileSync(
      path,
      code.replace('__FILES__', () => list),
    );
  },
};
