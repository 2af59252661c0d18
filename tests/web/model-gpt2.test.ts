import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindsOf } from './checkpoint-files.ts';
import { expectClose } from './compare.ts';
import { everything, expectTrace, near } from './model-compare.ts';
import { gpt2 } from './oracle/gpt2.ts';
import { rowsOf } from './oracle/model.ts';
import type { Plain } from './random.ts';
import { refusedModel } from './refusals.ts';
import { inHalves } from './synthetic-bert.ts';
import { config, E, H, L, V, weights } from './synthetic-gpt2.ts';
import { forEachVariant } from './variants.ts';

const all = weights();
const ids = [3, 0, 28, 7, 7, 14, 1];
/** What OpenAI's checkpoint has beside its weights: the causal mask as a tensor. */
const buffers = Object.fromEntries(
  Array.from({ length: L }, (_, layer) => [
    [`h.${layer}.attn.bias`, { data: new Float32Array(23 * 23), shape: [1, 1, 23, 23] }],
    [`h.${layer}.attn.masked_bias`, { data: Float32Array.of(-1e4), shape: [] }],
  ]).flat(),
) as Record<string, Plain>;

forEachVariant('a small GPT-2', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config, tensors: all });
  });
  afterAll(() => model?.dispose());

  async function expectOracle(settings: typeof config, tensors: object, meant: Record<string, Plain>, input = ids) {
    const own = createModel(engine(), { config: settings, tensors: tensors as never });
    const exact = gpt2(settings, meant, input);
    const got = await own.forward(input, everything);
    own.dispose();
    expectTrace(got, exact);
    expectClose(got.logits as never, { data: exact.logits.data, shape: [1, input.length, V] }, near(exact.logits));
  }

  test('says what it is', () => {
    const { type, layers, heads, kvHeads, embedSize, maxLength } = model;
    expect({ type, layers, heads, kvHeads, embedSize, maxLength }).toEqual({
      type: 'gpt2',
      layers: L,
      heads: H,
      kvHeads: H,
      embedSize: E,
      maxLength: 23,
    });
    const numbers = Object.values(all).reduce((sum, { data }) => sum + data.length, 0);
    expect(model.byteLength).toBeGreaterThanOrEqual(4 * numbers);
  });

  describe('equals the oracle, its weights given as', () => {
    test.each(kindsOf(all, 'transformer.', inHalves))('%s', (_, given, meant) => expectOracle(config, given, meant));
    test('beside the masks of old checkpoints', () => expectOracle(config, { ...all, ...buffers }, all));
  });
  describe('equals the oracle, with', () => {
    const headed = weights({ head: true });
    test.each(kindsOf(headed, 'transformer.', inHalves).slice(0, 2))('a head of its own: %s', (_, given, meant) =>
      expectOracle({ ...config, tie_word_embeddings: false }, given, meant),
    );
    test.each([
      ['another epsilon', { layer_norm_epsilon: 0.1 }],
      ['GELU', { activation_function: 'gelu' }],
      ['ReLU', { activation_function: 'relu' }],
    ])('%s', (_, change) => expectOracle({ ...config, ...change }, all, all));
    test('the keys of DistilGPT2, which change nothing', () =>
      expectOracle(
        {
          ...config,
          _name_or_path: 'distilgpt2',
          _num_labels: 1,
          gradient_checkpointing: false,
          id2label: { 0: 'LABEL_0' },
          label2id: { LABEL_0: 0 },
          pad_token_id: 30,
        },
        all,
        all,
      ));
    test('an inner size of its own', () => {
      const narrow = weights({ inner: 37 });
      return expectOracle({ ...config, n_inner: 37 }, narrow, narrow);
    });
    test('a tied head that is stored too', () =>
      expectOracle(config, { ...all, 'lm_head.weight': all['wte.weight'] }, all));
    test.each([1, 2, 3, 4, 5, 8, 9, 16, 17, 23])('%i tokens', (S) =>
      expectOracle(
        config,
        all,
        all,
        Array.from({ length: S }, (_, s) => (s * 11) % V),
      ),
    );
  });
  describe('an option that changes the scores is obeyed or refused', () => {
    test.each(['scale_attn_weights', 'scale_attn_by_inverse_layer_idx'] as const)('%s', async (key) => {
      const changed = { ...config, [key]: !config[key] };
      try {
        await expectOracle(changed, all, all);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: `files.config.${key}` });
      }
    });
  });

  describe('logits', () => {
    const exact = gpt2(config, all, ids);
    const last = { data: rowsOf(exact.logits, 6, 7).data, shape: [1, 1, V] };
    test.each([[undefined], ['last']] as const)('%s: of the last token', async (logits) => {
      const got = await model.forward(ids, logits ? { logits } : {});
      expectClose(got.logits as never, last, near(exact.logits));
    });
    test('none when they are not wanted', async () => {
      expect((await model.forward(ids, { logits: false })).logits).toBeUndefined();
    });
    test('of a batch: of each row’s last attended token', async () => {
      const got = await model.forward([ids, ids.slice(0, 4), ids], {
        attentionMask: [ids.map(() => 1), [1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]],
      });
      const rows = [6, 3, 4].map((s) => rowsOf(exact.logits, s, s + 1).data);
      const data = Float64Array.from(rows.flatMap((row) => [...row]));
      expectClose(got.logits as never, { data, shape: [3, 1, V] }, near(exact.logits));
    });
  });

  describe('is refused with', () => {
    test.each([
      ['a key that nobody knows', { foo_bar: 1 }, 'files.config.foo_bar'],
      ['an activation that is not built', { activation_function: 'mish' }, 'files.config.activation_function'],
      ['heads that do not divide', { n_head: 4 }, 'files.config.n_head'],
      ['no layers said', { n_layer: undefined }, 'files.config.n_layer'],
      ['cross-attention', { add_cross_attention: true }, 'files.config.add_cross_attention'],
    ])('%s', (_, change, argument) => {
      const error = refusedModel(engine(), { config: { ...config, ...change }, tensors: all });
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
    });
    test.each([
      ['a matrix the other way round', 'h.1.mlp.c_fc.weight', [84, 21]],
      ['a position table of another length', 'wpe.weight', [22, 21]],
    ])('%s', (_, name, shape) => {
      const data = new Float32Array((shape[0] as number) * (shape[1] as number));
      const error = refusedModel(engine(), { config, tensors: { ...all, [name]: { data, shape } } });
      expect(error.code).toBe('SHAPE_MISMATCH');
      expect(error.message).toContain(name);
    });
    test.each(['ln_f.weight', 'wpe.weight', 'h.1.attn.c_attn.weight'])('%s of whole numbers, by name', (name) => {
      const { shape, data } = all[name] as Plain;
      const whole = { data: new BigInt64Array(data.length), shape };
      const error = refusedModel(engine(), { config, tensors: { ...all, [name]: whole } });
      expect(error.code).toBe('UNSUPPORTED_DTYPE');
      expect(error.message).toContain(name);
    });
    test('a tensor that is missing, by name', () => {
      const { 'h.2.attn.c_proj.bias': _, ...rest } = all;
      const error = refusedModel(engine(), { config, tensors: rest });
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('h.2.attn.c_proj.bias');
    });
  });
  describe('refuses', () => {
    test.each([
      ['an id past the vocabulary', [1, V], {}, 'INVALID_ARGUMENT'],
      ['token types, which it has not', ids, { tokenTypeIds: ids }, 'INVALID_ARGUMENT'],
      ['a target, which it has not', ids, { decoderIds: ids }, 'INVALID_ARGUMENT'],
      ['logits of another kind', ids, { logits: 'first' }, 'INVALID_ARGUMENT'],
    ])('%s', async (_, input, options, code) => {
      await expect(model.forward(input, options as never)).rejects.toMatchObject({
        code,
        ...(Object.keys(options).length > 0 && { argument: `options.${Object.keys(options)[0]}` }),
      });
    });
    test('more tokens than positions', async () => {
      await expect(model.forward(Array(24).fill(1))).rejects.toMatchObject({ message: expect.stringContaining('23') });
    });
  });
});
