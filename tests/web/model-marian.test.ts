import { type Attention, masks } from 'attention-wasm';
import { createModel, type ForwardResult, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindsOf } from './checkpoint-files.ts';
import { expectClose } from './compare.ts';
import { entry, everything, expectMaps, expectTrace, mapOf, near } from './model-compare.ts';
import { embed } from './oracle/bert.ts';
import { encode, type MarianConfig, type MarianTrace, marian } from './oracle/marian.ts';
import { slidingWindow } from './oracle/masks.ts';
import { rowsOf } from './oracle/model.ts';
import type { Exact } from './oracle/values.ts';
import type { Plain } from './random.ts';
import { refusedModel, rejection } from './refusals.ts';
import { inHalves } from './synthetic-bert.ts';
import { config, start, weights } from './synthetic-marian.ts';
import { forEachVariant } from './variants.ts';

type Config = MarianConfig & Record<string, unknown> & { model_type: string };
const all = weights();
const [E, V] = [config.d_model, config.vocab_size];
const source = [3, 7, 7, 14, 1, 22, 0];
const target = [start, 5, 5, 17, 2];

function expectSame(got: ForwardResult<true>, exact: MarianTrace): void {
  expectTrace(got, exact);
  expectMaps(got.encoderAttentions ?? [], exact.encoder.attentions);
  expectMaps(got.crossAttentions ?? [], exact.crossAttentions);
  const { data, shape } = exact.logits;
  expectClose(got.logits as never, { data, shape: [1, ...shape] }, near(exact.logits));
}

forEachVariant('a small Marian', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config, tensors: all });
  });
  afterAll(() => model?.dispose());

  async function expectOracle(
    settings: Config,
    tensors: object,
    meant: Record<string, Plain>,
    [from, to]: readonly [number[], number[]] = [source, target],
  ) {
    const own = createModel(engine(), { config: settings, tensors: tensors as never });
    const got = await own.forward(from, { ...everything, decoderIds: to });
    own.dispose();
    expectSame(got, marian(settings, meant, from, to));
  }

  test('says what it is', () => {
    const { type, heads, kvHeads, embedSize, maxLength } = model;
    expect({ type, heads, kvHeads, embedSize, maxLength }).toEqual({
      type: 'marian',
      heads: 2,
      kvHeads: 2,
      embedSize: E,
      maxLength: 27,
    });
  });

  describe('equals the oracle, its weights given as', () => {
    test.each(kindsOf(all, 'model.', inHalves))('%s', (_, given, meant) => expectOracle(config, given, meant));
    test('beside what is tied to the shared table', () => {
      const { 'shared.weight': table } = all;
      const tied = ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'].map((name) => [
        `model.${name}`,
        table,
      ]);
      const given = Object.fromEntries(Object.entries(all).map(([name, tensor]) => [`model.${name}`, tensor]));
      const { 'model.final_logits_bias': bias, ...body } = given;
      const heads = { 'lm_head.weight': table, final_logits_bias: bias };
      return expectOracle(config, { ...body, ...Object.fromEntries(tied), ...heads }, all);
    });
  });

  describe('equals the oracle, with', () => {
    test.each([
      ['embeddings that are not scaled', { scale_embedding: false }],
      ['ReLU', { activation_function: 'relu' }],
      ['GELU', { activation_function: 'gelu' }],
      ['SiLU by its other name', { activation_function: 'silu' }],
      ['its vocabulary not said twice', { decoder_vocab_size: undefined }],
      ['keys that change nothing', { _name_or_path: 'Helsinki-NLP/opus-mt-en-de', _num_labels: 3 }],
    ])('%s', (_, change) => expectOracle({ ...config, ...change }, all, all));
    test('other heads on one side', () => expectOracle({ ...config, decoder_attention_heads: 11 }, all, all));
    test('an odd size: one sine more', () => {
      const own = weights({ size: 21 });
      const odd = { d_model: 21, encoder_attention_heads: 3, decoder_attention_heads: 3 };
      return expectOracle({ ...config, ...odd }, own, own);
    });
    test.each([
      [1, 1],
      [1, 9],
      [8, 3],
      [17, 4],
      [27, 27],
    ])('%i tokens for %i', (S, T) => {
      const of = (length: number, step: number) => Array.from({ length }, (_, s) => (s * step) % V);
      return expectOracle(config, all, all, [of(S, 11), [start, ...of(T - 1, 5)]]);
    });
  });

  describe('tables of each side', () => {
    test('are obeyed or refused', async () => {
      const { 'shared.weight': table, ...rest } = all;
      const own = {
        ...rest,
        'encoder.embed_tokens.weight': table as Plain,
        'decoder.embed_tokens.weight': weights({ seed: 8 })['shared.weight'] as Plain,
      };
      const apart = { ...config, share_encoder_decoder_embeddings: false };
      try {
        await expectOracle(apart, own, own);
      } catch (error) {
        expect(error).toMatchObject({
          code: 'INVALID_ARGUMENT',
          argument: 'files.config.share_encoder_decoder_embeddings',
        });
      }
    });
  });

  describe('logits', () => {
    const exact = marian(config, all, source, target);
    test('of the last token unless all are asked for', async () => {
      const { logits } = await model.forward(source, { decoderIds: target });
      expectClose(logits as never, { data: rowsOf(exact.logits, 4, 5).data, shape: [1, 1, V] }, near(exact.logits));
    });
    test('none when they are not wanted', async () => {
      expect((await model.forward(source, { decoderIds: target, logits: false })).logits).toBeUndefined();
    });
  });

  test('ragged sources and targets equal single runs', async () => {
    const sources = [source, [5, 0], [9, 8, 7, 0]];
    const targets = [target.slice(0, 3), target, [start]];
    const got = await model.forward(sources, { ...everything, decoderIds: targets });
    for (const [b, from] of sources.entries()) {
      const to = targets[b] as number[];
      const exact = marian(config, all, from, to);
      expectClose(entry(got.lastHiddenState, b, to.length), exact.lastHiddenState, near(exact.lastHiddenState));
      expectClose(entry(got.logits as never, b, to.length), exact.logits, near(exact.logits));
      got.attentions.forEach((map, layer) => {
        expectClose(mapOf(map, b, to.length), exact.attentions[layer] as Exact, 2e-5);
      });
      got.encoderAttentions?.forEach((map, layer) => {
        expectClose(mapOf(map, b, from.length), exact.encoder.attentions[layer] as Exact, 2e-5);
      });
    }
    const { logits } = await model.forward(sources, { decoderIds: targets });
    for (const [b, from] of sources.entries()) {
      const to = targets[b] as number[];
      const want = rowsOf(marian(config, all, from, to).logits, to.length - 1, to.length);
      expectClose(entry(logits as never, b), want, near(want));
    }
  });
  test('attentionMask hides tokens of the source from both sides', async () => {
    const attends = [1, 1, 0, 1, 0, 1, 1];
    const got = await model.forward(source, { ...everything, decoderIds: target, attentionMask: attends });
    const exact = marian(config, all, source, target, {}, { attends });
    expectClose(entry(got.lastHiddenState, 0), exact.lastHiddenState, near(exact.lastHiddenState));
    expectMaps(got.crossAttentions ?? [], exact.crossAttentions);
  });
  test('mask, ablateHeads and attentionTemperature change the decoder’s own attention', async () => {
    const options = {
      mask: masks.slidingWindow(1, 0),
      ablateHeads: [[2, 1]] as [number, number][],
      attentionTemperature: 1.5,
    };
    const got = await model.forward(source, { ...everything, ...options, decoderIds: target });
    const mask = () => ({ rule: slidingWindow(1, 0) });
    expectSame(got, marian(config, all, source, target, { mask, ablate: [[2, 1]], temperature: 1.5 }));
  });
  test('onLayer counts the encoder’s layers, then the decoder’s', async () => {
    const seen: [number, number][] = [];
    await model.forward(source, { decoderIds: target, onLayer: (layer, layers) => seen.push([layer, layers]) });
    expect(seen).toEqual([0, 1, 2, 3, 4].map((layer) => [layer, 5]));
  });
  test.each([0, 3])('a signal aborts after layer %i', async (at) => {
    const controller = new AbortController();
    const onLayer = (layer: number) => {
      if (layer === at) controller.abort('no');
    };
    const call = model.forward(source, { decoderIds: target, signal: controller.signal, onLayer });
    const error = await rejection(call);
    expect([error.code, error.cause]).toEqual(['ABORTED', 'no']);
  });
  test('embed is of the encoder', async () => {
    const { lastHiddenState: last } = encode(config, all, source);
    const whole = source.map(() => 1);
    expectClose(await model.embed(source), { data: embed(last, whole), shape: [1, E] }, 2e-5);
    expectClose(
      await model.embed(source, { normalize: false }),
      { data: embed(last, whole, false), shape: [1, E] },
      near(last),
    );
  });

  describe('is refused with', () => {
    test.each([
      ['a key that nobody knows', { foo_bar: 1 }, 'files.config.foo_bar'],
      ['an activation that is not built', { activation_function: 'mish' }, 'files.config.activation_function'],
      ['heads that do not divide', { decoder_attention_heads: 4 }, 'files.config.decoder_attention_heads'],
      ['no layers said', { encoder_layers: undefined }, 'files.config.encoder_layers'],
      ['norms before', { normalize_before: true }, 'files.config.normalize_before'],
      ['a last norm', { add_final_layer_norm: true }, 'files.config.add_final_layer_norm'],
      ['norms of embeddings', { normalize_embedding: true }, 'files.config.normalize_embedding'],
      ['learned positions', { static_position_embeddings: false }, 'files.config.static_position_embeddings'],
    ])('%s', (_, change, argument) => {
      const error = refusedModel(engine(), { config: { ...config, ...change }, tensors: all });
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
    });
    test('no bias of logits, by name', () => {
      const { final_logits_bias: _, ...rest } = all;
      const error = refusedModel(engine(), { config, tensors: rest });
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('final_logits_bias');
    });
  });
  describe('refuses', () => {
    test.each([
      ['no target', undefined, 'INVALID_ARGUMENT', 'options.decoderIds'],
      ['an id past the vocabulary', [start, V], 'INVALID_ARGUMENT', 'options.decoderIds'],
      ['another number of targets', [[start], [start]], 'SHAPE_MISMATCH', 'options.decoderIds'],
      ['too long a target', Array(28).fill(1), /INVALID_ARGUMENT|SHAPE_MISMATCH/, 'options.decoderIds'],
    ])('%s', async (_, decoderIds, code, argument) => {
      const error = await rejection(model.forward(source, decoderIds ? { decoderIds: decoderIds as never } : {}));
      expect(error.code).toMatch(code);
      expect(error.argument).toMatch(new RegExp(`^${argument}`));
    });
  });
});
