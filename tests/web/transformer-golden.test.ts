import { readFileSync } from 'node:fs';
import {
  type TransformerConfig,
  type TransformerDecoderOptions,
  transformerDecoder,
  transformerEncoder,
} from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose, largest } from './compare.ts';
import { sizeOf } from './oracle/values.ts';
import type { Plain } from './random.ts';
import { load, type TorchModule } from './torch-modules.ts';
import { forEachVariant } from './variants.ts';

/** What PyTorch gave: made by tests/golden/torch_layers.py, in double. */
interface Result {
  shape: number[];
  data: number[];
}
interface Case {
  module: TorchModule;
  config: TransformerConfig;
  options: Record<string, boolean | number[][]>;
  shapes: Record<string, number[]>;
  output: Result;
  weights: Result[];
  crossWeights: Result[];
}
const file = new URL('../golden/torch_layers.json', import.meta.url);
const golden: { torch: string; cases: Case[]; transformer: Pick<Case, 'shapes' | 'output'> } = JSON.parse(
  readFileSync(file, 'utf8'),
);

/** The numbers of torch_layers.py: multiples of 2^-23 in -1..1. */
function numbers(seed: number, shape: number[]): { data: Float32Array; shape: number[] } {
  const value = (_: unknown, i: number) => {
    let h = (Math.imul(seed, 0x9e3779b1) + Math.imul(i, 0x85ebca6b)) >>> 0;
    h ^= h >>> 15;
    h = Math.imul(h, 0x2c1b3c6d) >>> 0;
    h = (h ^ (h >>> 12)) >>> 0;
    return (h >>> 8) / 2 ** 23 - 1;
  };
  return { data: Float32Array.from({ length: sizeOf(shape) }, value), shape };
}

function stateDict(shapes: Case['shapes']): Record<string, Plain> {
  const tensors = Object.entries(shapes).map(([name, shape], index) => {
    const base = name.includes('norm') && name.endsWith('weight') ? 1 : 0;
    const { data } = numbers(index + 1, shape);
    return [name, { data: data.map((value) => value / 2 + base), shape }];
  });
  return Object.fromEntries(tensors);
}

const bits = (rows: number[][]): Plain => ({
  data: Uint8Array.from(rows.flat()),
  shape: [rows.length, rows[0]?.length ?? 0],
  dtype: 'bool',
});
const optionsOf = (stored: Case['options']): TransformerDecoderOptions =>
  Object.fromEntries(Object.entries(stored).map(([key, value]) => [key, Array.isArray(value) ? bits(value) : value]));

const [x, memory] = [numbers(101, [2, 4, 8]), numbers(102, [2, 3, 8])];
const close = (got: { data: ArrayLike<number>; shape: readonly number[] }, want: Result) =>
  expectClose(got, want, 1e-5 * (1 + largest(want.data)));

forEachVariant(`the values of PyTorch ${golden.torch}`, (engine) => {
  test('cover every module', () => {
    expect(new Set(golden.cases.map(({ module }) => module)).size).toBe(4);
    expect(golden.cases.length).toBe(12);
  });

  describe.each(golden.cases)('$module $config $options', (stored) => {
    test('are the output and the maps', () => {
      using layer = load(engine(), stored.module, stored.config, stateDict(stored.shapes));
      const got = layer.forward(x, memory, { ...optionsOf(stored.options), weights: true });
      close(got.output, stored.output);
      expect(got.weights?.length).toBe(stored.weights.length);
      stored.weights.forEach((want, index) => {
        close(got.weights?.[index] as never, want);
      });
      expect(got.crossWeights?.length ?? 0).toBe(stored.crossWeights.length);
      stored.crossWeights.forEach((want, index) => {
        close(got.crossWeights?.[index] as never, want);
      });
    });
  });

  test('are those of a whole torch.nn.Transformer, by its prefixes', () => {
    const all = Object.entries(stateDict(golden.transformer.shapes));
    const [encoder, decoder] = ['encoder.', 'decoder.'].map((prefix) =>
      Object.fromEntries(all.filter(([name]) => name.startsWith(prefix))),
    ) as [Record<string, Plain>, Record<string, Plain>];
    using first = transformerEncoder(engine(), { numHeads: 2 }, encoder);
    using second = transformerDecoder(engine(), { numHeads: 2 }, decoder);
    const encoded = first.forward(memory).output;
    close(second.forward(x, encoded, { causal: true }).output, golden.transformer.output);
  });
});
