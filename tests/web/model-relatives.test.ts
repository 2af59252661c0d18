import type { Attention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { bert, embed } from './oracle/bert.ts';
import type { Exact } from './oracle/values.ts';
import type { Plain } from './random.ts';
import { config, inFile, inHalves, prefixed, weights } from './synthetic-bert.ts';
import { forEachVariant } from './variants.ts';

const [E, H, L] = [21, 3, 3];
const ids = [3, 0, 28, 7, 7, 14, 2];
const tolerance = 2e-5;
const renamed = (all: Record<string, Plain>, rules: [RegExp, string][]) =>
  Object.fromEntries(
    Object.entries(all).map(([name, tensor]) => [rules.reduce((n, [from, to]) => n.replace(from, to), name), tensor]),
  );

/** Sanh et al. 2019: BERT without token types and pooler, by other names. */
const { 'embeddings.token_type_embeddings.weight': _, ...plain } = weights({ pooler: false });
const distil = renamed(plain, [
  [/^encoder/, 'transformer'],
  [/attention\.self\.query/, 'attention.q_lin'],
  [/attention\.self\.key/, 'attention.k_lin'],
  [/attention\.self\.value/, 'attention.v_lin'],
  [/attention\.output\.dense/, 'attention.out_lin'],
  [/attention\.output\.LayerNorm/, 'sa_layer_norm'],
  [/intermediate\.dense/, 'ffn.lin1'],
  [/(?<!attention\.)output\.dense/, 'ffn.lin2'],
  [/(?<!attention\.)output\.LayerNorm/, 'output_layer_norm'],
]);
const distilConfig = {
  model_type: 'distilbert',
  dim: E,
  n_heads: H,
  n_layers: L,
  hidden_dim: 37,
  vocab_size: 29,
  max_position_embeddings: 19,
  activation: 'gelu',
  sinusoidal_pos_embds: false,
};

/** Liu et al. 2019: BERT whose first position is one past the padding id's. */
const roberta = weights({ seed: 2 });
roberta['embeddings.token_type_embeddings.weight'] = {
  data: (roberta['embeddings.token_type_embeddings.weight'] as { data: Float32Array }).data.slice(0, E),
  shape: [1, E],
};
const robertaConfig = { ...config, model_type: 'roberta', type_vocab_size: 1, layer_norm_eps: 1e-5, pad_token_id: 1 };

forEachVariant('relatives of BERT', (engine: () => Attention) => {
  describe.each([
    ['distilbert', distilConfig, distil, plain, { ...config }, 0],
    ['roberta', robertaConfig, roberta, roberta, robertaConfig, 2],
  ] as const)('%s', (type, settings, tensors, truth, like, first) => {
    const exactOf = (input: readonly number[], all: Record<string, Plain> = truth) =>
      bert(like, all, input, { positions: input.map((_, s) => s + first) });

    test.each([
      ['plain', tensors, truth],
      ['in halves', inHalves(tensors), inHalves(truth)],
      ['with its name before, as a file', inFile(prefixed(tensors, `${type}.`)), truth],
    ])('equals the oracle: %s', async (_, given, meant) => {
      const model = createModel(engine(), { config: settings, tensors: given as never });
      expect([model.type, model.layers, model.heads, model.embedSize]).toEqual([type, L, H, E]);
      const exact = exactOf(ids, meant as Record<string, Plain>);
      const got = await model.forward(ids, { attention: true, hiddenStates: true });
      got.attentions.forEach((map, layer) => {
        expectClose(map, { data: (exact.attentions[layer] as Exact).data, shape: [1, H, 7, 7] }, tolerance);
      });
      got.hiddenStates?.forEach((state, layer) => {
        expectClose(state, { data: (exact.hiddenStates[layer] as Exact).data, shape: [1, 7, E] }, tolerance);
      });
      expectClose(got.lastHiddenState, { data: (exact.hiddenStates[L] as Exact).data, shape: [1, 7, E] }, tolerance);
      model.dispose();
    });
    test('a ragged batch equals single runs', async () => {
      const model = createModel(engine(), { config: settings, tensors });
      const batch = [ids, [5, 6], [9, 4, 3]];
      const got = await model.embed(batch);
      batch.forEach((row, b) => {
        const last = exactOf(row).hiddenStates[L] as Exact;
        const want = embed(
          last,
          row.map(() => 1),
        );
        expectClose({ data: got.data.subarray(b * E, (b + 1) * E), shape: [E] }, { data: want, shape: [E] }, tolerance);
      });
      model.dispose();
    });
    test('takes as many tokens as it has positions for', async () => {
      const model = createModel(engine(), { config: settings, tensors });
      const most = 19 - first;
      expect(model.maxLength).toBe(most);
      const long = Array.from({ length: most }, (_, s) => 2 + ((s * 5) % 27));
      const last = exactOf(long).hiddenStates[L] as Exact;
      expectClose((await model.forward(long)).lastHiddenState, { data: last.data, shape: [1, most, E] }, tolerance);
      await expect(model.forward([...long, 2])).rejects.toMatchObject({
        message: expect.stringContaining(String(most)),
      });
      model.dispose();
    });
  });

  test.each([
    [undefined, 2],
    [0, 1],
  ])('RoBERTa with pad_token_id %s begins at position %i', async (pad_token_id, first) => {
    const input = [3, 4, 28, 7, 7, 14, 2]; // no padding among them
    const model = createModel(engine(), { config: { ...robertaConfig, pad_token_id }, tensors: roberta });
    const last = bert(robertaConfig, roberta, input, { positions: input.map((_, s) => s + first) }).hiddenStates[
      L
    ] as Exact;
    expectClose((await model.forward(input)).lastHiddenState, { data: last.data, shape: [1, 7, E] }, tolerance);
    model.dispose();
  });
  test('DistilBERT has no token types', async () => {
    const model = createModel(engine(), { config: distilConfig, tensors: distil });
    await expect(model.forward(ids, { tokenTypeIds: ids.map(() => 0) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'options.tokenTypeIds',
    });
    model.dispose();
  });
});
