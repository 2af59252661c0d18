// The package bundled into one script, as extensions of editors, Electron's main process and classic workers have it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { build } from 'esbuild';
import { expect } from 'vitest';
import { smallLlamaWrites } from '../engines/cases/model.js';

/** The text of a file of the consumer with all that it imports. What is exported is globalThis.bundled of an IIFE. */
export async function bundleOf(consumer, format, entry = 'bundled.js', more = {}) {
  const { outputFiles, warnings } = await build({
    absWorkingDir: consumer,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format,
    ...(format === 'iife' && { globalName: 'bundled' }),
    // That import.meta.url is undefined here is what the tests are about.
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'silent',
    ...more,
  });
  expect(warnings).toEqual([]);
  return outputFiles[0].text;
}

export const installed = (consumer, file) => join(consumer, 'node_modules/attention-wasm/dist', file);
export const bytesOf = (consumer, variant) => readFileSync(installed(consumer, `attention-${variant}.wasm`));

/** What outcome() gives where all is well. */
export async function right(expected) {
  const attention = await createAttention({ variant: 'simd' });
  const tokens = await smallLlamaWrites((files) => createModel(attention, files));
  attention.dispose();
  return {
    threads: 1,
    ...expected,
    shape: [2, 9, 12],
    difference: expect.toSatisfy((difference) => difference <= 4e-6),
    encoder: expect.toSatisfy((difference) => difference <= 2e-5),
    tensors: ['answer'],
    tokens,
  };
}

export const rightRemote = (expected) => ({ threads: 1, firstRow: [1, 0], ...expected });

export function refused(code, reason) {
  return { name: 'AttentionError', code, message: expect.stringMatching(reason) };
}
