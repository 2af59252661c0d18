import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindsOf } from './checkpoint-files.ts';
import { expectClose } from './compare.ts';
import { entry, expectTrace, near } from './model-compare.ts';
import { embed } from './oracle/bert.ts';
import { rowsOf } from './oracle/model.ts';
import type { Exact } from './oracle/values.ts';
import { vit } from './oracle/vit.ts';
import type { Plain } from './random.ts';
import { refusedModel, rejection } from './refusals.ts';
import { inHalves } from './synthetic-bert.ts';
import { config, E, H, L, labels, picture, tokens, weights } from './synthetic-vit.ts';
import { forEachVariant } from './variants.ts';

const all = weights();
const image = picture(1);
const alone = { data: image.data, shape: [3, 12, 12] };
const everything = { attention: true, hiddenStates: true, projections: true } as const;

forEachVariant('a small ViT', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config, tensors: all });
  });
  afterAll(() => model?.dispose());

  async function expectOracle(settings: typeof config, tensors: object, meant: Record<string, Plain>) {
    const own = createModel(engine(), { config: settings, tensors: tensors as never });
    const exact = vit(settings, meant, alone);
    const got = await own.forward(image, everything);
    own.dispose();
    expectTrace(got, exact);
    for (const name of ['logits', 'pooled'] as const) {
      const want = exact[name];
      expect(got[name] === undefined).toBe(want === undefined);
      if (want) expectClose(got[name] as never, want, near(want));
    }
  }

  test('says what it is', () => {
    const { type, layers, heads, kvHeads, embedSize, maxLength } = model;
    expect({ type, layers, heads, kvHeads, embedSize, maxLength }).toEqual({
      type: 'vit',
      layers: L,
      heads: H,
      kvHeads: H,
      embedSize: E,
      maxLength: tokens,
    });
  });

  describe('equals the oracle, its weights given as', () => {
    test.each(kindsOf(all, 'vit.', inHalves))('%s', (_, given, meant) => expectOracle(config, given, meant));
  });
  describe('equals the oracle, with', () => {
    const others: [string, Parameters<typeof weights>[0], object][] = [
      ['a pooler', { pooler: true }, {}],
      ['neither pooler nor classifier', { classifier: false }, {}],
      ['a pooler and no classifier', { classifier: false, pooler: true }, {}],
      ['no biases of queries, keys and values', { qkvBias: false }, { qkv_bias: false }],
    ];
    test.each(others)('%s', (_, made, change) => {
      const own = weights(made);
      return expectOracle({ ...config, ...change }, own, own);
    });
    test.each([
      ['another epsilon', { layer_norm_eps: 0.1 }],
      ['ReLU', { hidden_act: 'relu' }],
      ['the GELU of GPT-2', { hidden_act: 'gelu_new' }],
    ])('%s', (_, change) => expectOracle({ ...config, ...change }, all, all));
    test('the keys of newer checkpoints, which change nothing', () => {
      const newer = { _name_or_path: 'google/vit-base-patch16-224-in21k', pooler_act: 'tanh', pooler_output_size: E };
      const own = weights({ pooler: true });
      return expectOracle({ ...config, ...newer }, own, own);
    });
    test('patches of another size', () => {
      const own: Record<string, Plain> = weights();
      const name = 'embeddings.patch_embeddings.projection.weight';
      own[name] = {
        data: Float32Array.from({ length: E * 3 * 36 }, (_, n) => Math.sin(n * n) / 8),
        shape: [E, 3, 6, 6],
      };
      const places = own['embeddings.position_embeddings'] as Plain;
      own['embeddings.position_embeddings'] = { data: places.data.slice(0, 5 * E) as Float32Array, shape: [1, 5, E] };
      return expectOracle({ ...config, patch_size: 6 }, own, own);
    });
    test('a mask token, of which nothing is asked', () =>
      expectOracle(config, { ...all, 'embeddings.mask_token': { data: new Float32Array(E), shape: [1, 1, E] } }, all));
  });

  test('a batch equals single pictures', async () => {
    const two = picture(2, 2);
    const got = await model.forward(two, everything);
    for (const b of [0, 1]) {
      const exact = vit(config, all, { data: two.data.subarray(b * 432, (b + 1) * 432), shape: [3, 12, 12] });
      const last = exact.lastHiddenState;
      expectClose(entry(got.lastHiddenState, b), last, near(last));
      const logits = {
        data: got.logits?.data.subarray(b * labels, (b + 1) * labels) as Float32Array,
        shape: [1, labels],
      };
      expectClose(logits, exact.logits as Exact, near(exact.logits as Exact));
      got.attentions.forEach((map, layer) => {
        const { data } = exact.attentions[layer] as Exact;
        expectClose(entry(map, b), { data, shape: [H, tokens, tokens] }, 2e-5);
      });
    }
  });

  describe('embed', () => {
    const last = vit(config, all, alone).lastHiddenState;
    const every = Array<number>(tokens).fill(1);
    test.each([
      ['mean', embed(last, every, false)],
      ['cls', rowsOf(last, 0, 1).data],
      ['last', rowsOf(last, tokens - 1, tokens).data],
    ] as const)('%s', async (pooling, data) => {
      const got = await model.embed(image, { pooling, normalize: false });
      expectClose(got, { data, shape: [1, E] }, near(last));
    });
    test('by default the mean, of length 1', async () => {
      expectClose(await model.embed(image), { data: embed(last, every), shape: [1, E] }, 2e-5);
    });
  });

  describe('is refused with', () => {
    test.each([
      ['a key that nobody knows', { foo_bar: 1 }, 'files.config.foo_bar'],
      ['an activation that is not built', { hidden_act: 'mish' }, 'files.config.hidden_act'],
      ['heads that do not divide', { num_attention_heads: 4 }, 'files.config.num_attention_heads'],
      ['a pooler that is not built', { pooler_act: 'relu' }, 'files.config.pooler_act'],
      ['no patch size', { patch_size: undefined }, 'files.config.patch_size'],
    ])('%s', (_, change, argument) => {
      const error = refusedModel(engine(), { config: { ...config, ...change }, tensors: all });
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
    });
    test('positions for another number of patches', () => {
      const error = refusedModel(engine(), { config: { ...config, image_size: 15 }, tensors: all });
      expect(error.code).toBe('SHAPE_MISMATCH');
      expect(error.message).toContain('position_embeddings');
    });
  });
  describe('refuses', () => {
    const blank = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape });
    test.each([
      ['a picture of another size', blank(1, 3, 12, 15), 'SHAPE_MISMATCH'],
      ['a grey picture', blank(1, 1, 12, 12), 'SHAPE_MISMATCH'],
      ['a picture without a batch', blank(12, 12), 'SHAPE_MISMATCH'],
      ['token ids', [1, 2, 3], /INVALID_ARGUMENT|SHAPE_MISMATCH/],
    ])('%s', async (_, input, code) => {
      expect((await rejection(model.forward(input as never))).code).toMatch(code);
    });
    test.each(['attentionMask', 'tokenTypeIds', 'decoderIds', 'cache'])('%s', async (name) => {
      const error = await rejection(model.forward(image, { [name]: [[1]] } as never));
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', `options.${name}`]);
    });
    test('to generate', async () => {
      expect((await rejection(model.generate([1], { maxNewTokens: 1 }))).code).toBe('INVALID_ARGUMENT');
    });
  });
});
