import { createAttention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { expect, test } from 'vitest';
import { noMask } from '../mask';
import { infoOf, type Loaded } from '../minilm';
import { readText } from '../pass';
import type { PassSpec } from '../protocol';
import type { Session } from '../session';
import { effects } from './effects';

const [embed, hidden, layers, heads] = [24, 40, 3, 3];
const attention = await createAttention();
const model = createModel(attention, {
  config: {
    model_type: 'bert',
    hidden_size: embed,
    num_attention_heads: heads,
    num_hidden_layers: layers,
    intermediate_size: hidden,
    vocab_size: 29,
    max_position_embeddings: 19,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
  },
  tensors: randomBert(),
});
const ids = [3, 0, 28, 7, 7, 14, 1, 22, 9];
const loaded: Loaded = {
  model,
  info: infoOf(model, 'tiny', 'float32'),
  encode: () => ({ ids, tokens: ids.map(String) }),
};
const plain: PassSpec = { model: 'own', text: '', length: 0, mask: noMask, ablated: [], temperature: 1 };
const options = { attention: true, hiddenStates: true } as const;

async function effectsOf(spec: PassSpec) {
  const { signal } = new AbortController();
  const pass = await readText(attention, loaded, spec, signal);
  return effects({ attention, models: { get: async () => loaded }, pass, signal } as unknown as Session);
}

test.each([
  { ablated: [[0, 1]], temperature: 1 },
  {
    ablated: [
      [1, 0],
      [1, 2],
    ],
    temperature: 1,
  },
  { ablated: [], temperature: 0.5 },
  { ablated: [[2, 2]], temperature: 3 },
] as const)('is what whole matrices of both passes say: %o', async ({ ablated, temperature }) => {
  const got = await effectsOf({ ...plain, ablated, temperature });
  const before = await model.forward(ids, options);
  const after = await model.forward(ids, { ...options, ablateHeads: ablated, attentionTemperature: temperature });
  const [mean, changedMean] = [before, after].map(({ lastHiddenState: { data } }) =>
    Array.from({ length: embed }, (_, e) => ids.reduce((sum, _id, i) => sum + data[i * embed + e], 0)),
  );
  near(got?.cosine, dot(mean, changedMean) / (norm(mean) * norm(changedMean)));
  for (let layer = 0; layer < layers; layer++) {
    const [h0, h] = [before, after].map((run) => [...(run.hiddenStates?.[layer + 1].data ?? [])]);
    near(got?.hidden[layer], norm(h.map((x, i) => x - h0[i])) / norm(h0));
    const [a, b] = [before, after].map((run) => run.attentions[layer].data);
    const changes = Array.from({ length: heads }, (_, head) =>
      Math.max(...a.subarray(head * 81, (head + 1) * 81).map((x, i) => Math.abs(b[head * 81 + i] - x))),
    );
    near(got?.attention[layer].change, Math.max(...changes));
    near(changes[got?.attention[layer].head ?? -1], Math.max(...changes));
  }
});

test('layers before the first head that is off do not change', async () => {
  const got = await effectsOf({ ...plain, ablated: [[1, 1]] });
  expect(got?.hidden[0]).toBe(0);
  expect(got?.attention.slice(0, 2).map(({ change }) => change)).toEqual([0, 0]);
  expect(got?.hidden[1]).toBeGreaterThan(0.01);
  expect(got?.attention[2].change).toBeGreaterThan(0.001);
});

test('padding is no part of the sentence embedding; the model before is the unchanged one', async () => {
  const spec = { ...plain, mask: { ...noMask, padding: 3 }, ablated: [[0, 0]], temperature: 2 } as const;
  const got = await effectsOf(spec);
  const mask = attention.masks.keyPadding([6]);
  const [mean, changed] = await Promise.all(
    [{}, { ablateHeads: spec.ablated, attentionTemperature: 2 }].map(async (changes) => {
      const { data } = (await model.forward(ids, { mask, ...changes })).lastHiddenState;
      return Array.from({ length: embed }, (_, e) =>
        Array.from({ length: 6 }, (_, i) => data[i * embed + e]).reduce((a, b) => a + b),
      );
    }),
  );
  near(got?.cosine, dot(mean, changed) / (norm(mean) * norm(changed)));
});

test('ends when something newer is asked for', async () => {
  const pass = await readText(attention, loaded, { ...plain, temperature: 2 }, new AbortController().signal);
  const session = { attention, models: { get: async () => loaded }, pass, signal: AbortSignal.abort() };
  await expect(effects(session as unknown as Session)).rejects.toThrow();
});

function randomBert() {
  let state = 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return (state / 2147483647) * 2 - 1;
  };
  const tensor = (...shape: number[]) => ({
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random() * 0.5),
    shape,
  });
  const dense = (name: string, out: number, from: number) => ({
    [`${name}.weight`]: tensor(out, from),
    [`${name}.bias`]: tensor(out),
  });
  const rows = { word: 29, position: 19, token_type: 2 };
  return Object.assign(
    {},
    ...Object.entries(rows).map(([name, count]) => ({
      [`embeddings.${name}_embeddings.weight`]: tensor(count, embed),
    })),
    norms('embeddings.LayerNorm'),
    ...Array.from({ length: layers }, (_, layer) => {
      const at = `encoder.layer.${layer}`;
      return Object.assign(
        {},
        ...['query', 'key', 'value'].map((name) => dense(`${at}.attention.self.${name}`, embed, embed)),
        dense(`${at}.attention.output.dense`, embed, embed),
        norms(`${at}.attention.output.LayerNorm`),
        dense(`${at}.intermediate.dense`, hidden, embed),
        dense(`${at}.output.dense`, embed, hidden),
        norms(`${at}.output.LayerNorm`),
      );
    }),
  );
}

function norms(name: string) {
  const ones = { data: new Float32Array(embed).fill(1), shape: [embed] };
  return { [`${name}.weight`]: ones, [`${name}.bias`]: { data: new Float32Array(embed), shape: [embed] } };
}

function dot(a: number[], b: number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i], 0);
}

function norm(a: number[]): number {
  return Math.sqrt(dot(a, a));
}

function near(got: number | undefined, expected: number): void {
  if (got === undefined || !(Math.abs(got - expected) <= 1e-5)) expect(got).toBe(expected);
}
