import { createAttention } from 'attention-wasm';
import { afterEach, expect, test } from 'vitest';
import { noMask } from '../mask';
import { readOwn } from '../own';
import type { PassSpec } from '../protocol';
import type { Session } from '../session';
import { files } from '../tiny-llama';
import { type GenerateSpec, generate, stopGenerating, type Written } from './generate';

const attention = await createAttention();
const loaded = await readOwn(attention, { ...files(), tokenizer: null });
const { model } = loaded;

const pass: PassSpec = { model: 'own', text: '1 2 3', length: 0, mask: noMask, ablated: [], temperature: 1 };
const greedy = { count: 8, temperature: 0, topK: null, seed: 0 };
const prompt = [1, 2, 3];

/** On screen is what was told last. */
let screen = '';
const session = {
  attention,
  models: { get: async () => loaded },
  get pass() {
    return { spec: { text: screen } };
  },
} as unknown as Session;

async function run(spec: GenerateSpec, onToken?: (written: Written) => void) {
  const told: Written[] = [];
  const result = await generate(session, spec, (written) => {
    screen = written.text;
    told.push(written);
    onToken?.(written);
  });
  return { ...result, told };
}

afterEach(stopGenerating);

test('writes what the model writes in one go', async () => {
  const expected = [...(await model.generate(prompt, { maxNewTokens: 8, stop: [] }))];
  const end = expected.indexOf(10);
  const { ids, ending, told } = await run({ ...greedy, pass });
  expect(ids).toEqual(end < 0 ? expected : expected.slice(0, end));
  expect(ending).toBe(end < 0 ? 'count' : 'text');
  expect(told.map(({ id }) => id)).toEqual(ids);
  expect(told.map(({ text }) => text)).toEqual(ids.map((_, i) => `1 2 3 ${ids.slice(0, i + 1).join(' ')}`));
  expect(ids.length).toBeGreaterThan(1);
});

test('under the mask and the changes that are on screen', async () => {
  const mask = { ...noMask, window: 1 };
  const options = {
    maxNewTokens: 8,
    mask: attention.masks.slidingWindow(1, 1),
    ablateHeads: [[0, 1]] as const,
    attentionTemperature: 0.5,
  };
  const expected = [...(await model.generate(prompt, options))];
  const { ids } = await run({ ...greedy, pass: { ...pass, mask, ablated: [[0, 1]], temperature: 0.5 } });
  expect(ids).toEqual(expected);
  expect(ids).not.toEqual((await run({ ...greedy, pass })).ids);
});

test('the same seed writes the same, another one something else', async () => {
  const sampled = { ...greedy, temperature: 2, pass };
  const [first, again] = [await run({ ...sampled, seed: 5 }), await run({ ...sampled, seed: 5 })];
  expect(again.ids).toEqual(first.ids);
  const others = [];
  for (const seed of [0, 1, 2, 3]) others.push((await run({ ...sampled, seed })).ids.join(' '));
  expect(new Set(others).size).toBeGreaterThan(1);
});

test('of the one most likely token there is no choice', async () => {
  const { ids } = await run({ ...greedy, temperature: 3, topK: 1, seed: 4, pass });
  expect(ids).toEqual((await run({ ...greedy, pass })).ids);
});

test('stops within a token', async () => {
  const { ids, ending } = await run({ ...greedy, pass }, ({ id: _id, text }) => {
    if (text.split(' ').length === prompt.length + 2) stopGenerating();
  });
  expect(ending).toBe('stop');
  expect(ids).toHaveLength(2);
});

test('ends where the model reads no more', async () => {
  const long = Array.from({ length: 22 }, (_, i) => i % 9).join(' ');
  const { ids, ending } = await run({ ...greedy, pass: { ...pass, text: long } });
  expect({ ending, count: ids.length }).toEqual({ ending: 'room', count: 2 });
  expect(await run({ ...greedy, pass: { ...pass, text: `${long} 1 1 1` } })).toMatchObject({ ids: [], ending: 'room' });
});

test('has nothing to go on with', async () => {
  await expect(run({ ...greedy, pass: { ...pass, text: '' } })).rejects.toThrow('nothing to go on with');
});

test('waits for what is on screen', async () => {
  let shown = 0;
  await generate(session, { ...greedy, count: 3, pass }, ({ text }) => {
    setTimeout(() => {
      shown++;
      screen = text;
    }, 30);
  });
  expect(shown).toBe(3);
});
