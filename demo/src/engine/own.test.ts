import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { expect, test } from 'vitest';
import { readOwn } from './own';
import { config, files, weightsFile } from './tiny-llama';

const attention = await createAttention();
const blob = (text: string) => new Blob([text]);
const configOf = (change: object) => blob(JSON.stringify({ ...config, ...change }));

test('is the model of its files', async () => {
  const { model, info } = await readOwn(attention, files());
  const { title, type, layers, heads, isDecoder, weights, maxLength } = info;
  expect({ title, type, layers, heads, isDecoder, weights, maxLength }).toEqual({
    title: 'own llama',
    type: 'llama',
    layers: 2,
    heads: 4,
    isDecoder: true,
    weights: 'float32',
    maxLength: 24,
  });
  const same = createModel(attention, { config, tensors: weightsFile() });
  const [got, expected] = await Promise.all([model.forward([1, 2, 3]), same.forward([1, 2, 3])]);
  expect(got.lastHiddenState.data).toEqual(expected.lastHiddenState.data);
});

test('is rounded where that is asked for', async () => {
  const { model, info } = await readOwn(attention, { ...files(), rounded: true });
  expect(info.weights).toBe('int8');
  const same = createModel(attention, { config, tensors: weightsFile() }, { weights: 'int8' });
  const [got, expected] = await Promise.all([model.forward([1, 2]), same.forward([1, 2])]);
  expect(got.lastHiddenState.data).toEqual(expected.lastHiddenState.data);
});

test('has the name that its config gives', async () => {
  const { info } = await readOwn(attention, { ...files(), config: configOf({ _name_or_path: 'someone/tiny' }) });
  expect(info.title).toBe('tiny');
});

test('splits a text by its tokenizer', async () => {
  const { encode, vocabulary } = await readOwn(attention, files());
  expect(encode('cab a')).toMatchObject({ ids: [2, 9, 8, 0], tokens: ['c', 'ab', 'Ġ', 'a'] });
  expect(vocabulary).toBeUndefined();
});

test('reads what it wrote by the ids it wrote', async () => {
  const { encode, extend } = await readOwn(attention, files());
  const { ids } = encode('c');
  const text = extend?.('c', ids, [0, 1, 8, 4]);
  expect(text).toBe('cab e');
  expect(encode('cab e')).toMatchObject({ ids: [2, 0, 1, 8, 4], tokens: ['c', 'a', 'b', 'Ġ', 'e'] });
  // What was typed since is split as any other text.
  expect(encode('cab ed').ids).toEqual([2, 9, 8, 4, 3]);
});

test('without a tokenizer the text is token ids', async () => {
  const { encode, extend, vocabulary } = await readOwn(attention, { ...files(), tokenizer: null });
  expect(vocabulary).toBe(11);
  expect(encode('1, 10 11')).toMatchObject({ ids: [1, 10], tokens: ['1', '10'] });
  expect(extend?.('1, 10 ', [1, 10], [4, 5])).toBe('1, 10 4 5');
});

const q = 'model.layers.1.self_attn.q_proj.weight';
test.each([
  ['config.json is not JSON', { config: blob('{') }],
  ['config.json holds no object', { config: blob('[1]') }],
  ['config.json names no model_type', { config: blob('{}') }],
  ["got 't5', wanted one that reads text: bert", { config: configOf({ model_type: 't5' }) }],
  ["got 'vit', wanted one that reads text", { config: configOf({ model_type: 'vit' }) }],
  ['tokenizer.json is not JSON', { tokenizer: blob('no') }],
  ['tokenizer.json could not be used', { tokenizer: blob('{"model":{"type":"none"}}') }],
  [`wanted a tensor '${q}', got none`, { weights: new Blob([weightsFile([q])]) }],
  [
    "tensor 'model.layers.0.mlp.up_proj.weight' has shape [24,16], wanted [23,16]",
    {
      config: configOf({ intermediate_size: 23 }),
    },
  ],
  ['wanted at least 8', { weights: blob('abc') }],
])('refuses: %s', async (message, change) => {
  await expect(readOwn(attention, { ...files(), ...change })).rejects.toThrow(message);
});
