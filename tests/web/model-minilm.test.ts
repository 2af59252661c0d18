import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import * as minilm from './minilm.ts';
import { bert, embed } from './oracle/bert.ts';
import { forEachVariant } from './variants.ts';

const sentence = minilm.tokenize(minilm.pronoun);
const example = minilm.tokenize(minilm.example);
const sentences = ['Hello', minilm.example, minilm.pronoun].map((text) => minilm.tokenize(text).ids);

forEachVariant('MiniLM', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config: minilm.config, tensors: minilm.bytes });
  });
  afterAll(() => model.dispose());

  test('says what it is', () => {
    expect([model.type, model.layers, model.heads, model.kvHeads, model.embedSize, model.maxLength]).toEqual([
      'bert',
      6,
      12,
      12,
      384,
      512,
    ]);
    expect(model.byteLength).toBeGreaterThan(22e6);
  });
  test('embeds the example as published', async () => {
    const { data, shape } = await model.embed(example.ids);
    expect(shape).toEqual([1, 384]);
    expectClose({ data: data.subarray(0, 4), shape: [4] }, { data: minilm.exampleBegins, shape: [4] }, 2e-4);
    expect(Math.hypot(...data)).toBeCloseTo(1, 5);
  });
  test('links it to animal at layer 3 head 1', async () => {
    const { attentions } = await model.forward(sentence.ids, { attention: true });
    expect(attentions.length).toBe(6);
    const S = sentence.ids.length;
    const [it, animal] = [sentence.tokens.indexOf('it'), sentence.tokens.indexOf('animal')];
    expect([it, animal].every((index) => index > 0)).toBe(true);
    const weight = (layer: number, head: number) => attentions[layer]?.data[(head * S + it) * S + animal] as number;
    expect(Math.abs(weight(3, 1) - 0.688)).toBeLessThanOrEqual(0.002);
    expect(Math.abs(weight(5, 11) - 0.658)).toBeLessThanOrEqual(0.002);
  });

  test('equals the oracle: all 72 maps, every hidden state, the pooled one and the embedding', async () => {
    const exact = bert(minilm.config, minilm.tensors(), sentence.ids);
    const got = await model.forward(sentence.ids, { attention: true, hiddenStates: true });
    const [S, E] = [sentence.ids.length, 384];
    got.attentions.forEach((map, layer) => {
      expectClose(map, { data: exact.attentions[layer]?.data as Float64Array, shape: [1, 12, S, S] }, 1e-4);
    });
    expect(got.hiddenStates?.length).toBe(7);
    got.hiddenStates?.forEach((state, layer) => {
      expectClose(state, { data: exact.hiddenStates[layer]?.data as Float64Array, shape: [1, S, E] }, 1e-4);
    });
    const last = exact.hiddenStates[6] as (typeof exact.hiddenStates)[number];
    expectClose(got.lastHiddenState, { data: last.data, shape: [1, S, E] }, 1e-4);
    if (!got.pooled) throw new Error('the file has a pooler, the result no pooled state');
    expectClose(got.pooled, { data: exact.pooled?.data as Float64Array, shape: [1, E] }, 1e-4);
    const whole = sentence.ids.map(() => 1);
    expectClose(await model.embed(sentence.ids), { data: embed(last, whole), shape: [1, E] }, 1e-4);
  });

  test('a batch of ragged lengths equals single runs, and padding columns are zero', async () => {
    const batch = await model.forward(sentences, { attention: true });
    const S = Math.max(...sentences.map((ids) => ids.length));
    expect(batch.lastHiddenState.shape).toEqual([3, S, 384]);
    for (const [b, ids] of sentences.entries()) {
      const single = await model.forward(ids, { attention: true });
      const n = ids.length;
      const rows = batch.lastHiddenState.data.subarray(b * S * 384, (b * S + n) * 384);
      expectClose({ data: rows, shape: [1, n, 384] }, single.lastHiddenState, 1e-5);
      batch.attentions.forEach((map, layer) => {
        expect(map.shape).toEqual([3, 12, S, S]);
        for (let h = 0; h < 12; h++)
          for (let i = 0; i < S; i++) {
            const row = map.data.subarray(((b * 12 + h) * S + i) * S, ((b * 12 + h) * S + i + 1) * S);
            expect(row.subarray(n).every((p) => p === 0)).toBe(true);
            if (i >= n) continue;
            const want = single.attentions[layer]?.data.subarray((h * n + i) * n, (h * n + i + 1) * n) as Float32Array;
            expectClose({ data: row.subarray(0, n), shape: [n] }, { data: want, shape: [n] }, 1e-5);
          }
      });
    }
    const embedded = await model.embed(sentences);
    expect(embedded.shape).toEqual([3, 384]);
    for (const [b, ids] of sentences.entries())
      expectClose(
        { data: embedded.data.subarray(b * 384, (b + 1) * 384), shape: [1, 384] },
        await model.embed(ids),
        1e-5,
      );
  });
  test('the longest text it takes', async () => {
    const ids = Array.from({ length: 512 }, (_, s) => 1000 + ((s * 7919) % 20000));
    const { lastHiddenState } = await model.forward(ids);
    expect(lastHiddenState.shape).toEqual([1, 512, 384]);
    expect(lastHiddenState.data.every(Number.isFinite)).toBe(true);
    await expect(model.forward([...ids, 1])).rejects.toMatchObject({ message: expect.stringContaining('512') });
  });
  test('weights may be forgotten after the model is made', async () => {
    const copy = minilm.bytes.slice();
    const own = createModel(engine(), { config: minilm.config, tensors: copy });
    copy.fill(0);
    const { data } = await own.embed(example.ids);
    expectClose({ data: data.subarray(0, 4), shape: [4] }, { data: minilm.exampleBegins, shape: [4] }, 2e-4);
    own.dispose();
  });
  describe('memory', () => {
    test('comes back with the model', async () => {
      const once = async () => {
        const own = createModel(engine(), { config: minilm.config, tensors: minilm.bytes });
        await own.embed(example.ids);
        own.dispose();
      };
      await once();
      const bytes = engine().info.memoryBytes;
      for (let n = 0; n < 3; n++) await once();
      expect(engine().info.memoryBytes).toBe(bytes);
    });
  });
});
