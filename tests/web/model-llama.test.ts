import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindsOf } from './checkpoint-files.ts';
import { expectClose } from './compare.ts';
import { everything, expectTrace, near } from './model-compare.ts';
import { type LlamaConfig, llama } from './oracle/llama.ts';
import type { Plain } from './random.ts';
import { refusedModel } from './refusals.ts';
import { inHalves } from './synthetic-bert.ts';
import { config, weights } from './synthetic-llama.ts';
import { forEachVariant } from './variants.ts';

type Config = LlamaConfig & Record<string, unknown> & { model_type: string };
const all = weights();
const V = config.vocab_size;
const ids = [3, 0, 28, 7, 7, 14, 1];
const llama3 = {
  factor: 8,
  high_freq_factor: 4,
  low_freq_factor: 1,
  original_max_position_embeddings: 16,
  rope_type: 'llama3',
};
const yarn = { factor: 4, original_max_position_embeddings: 16, rope_type: 'yarn' };

forEachVariant('a small Llama', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config, tensors: all });
  });
  afterAll(() => model?.dispose());

  async function expectOracle(settings: Config, tensors: object, meant: Record<string, Plain>, input = ids) {
    const own = createModel(engine(), { config: settings, tensors: tensors as never });
    const exact = llama(settings, meant, input);
    const got = await own.forward(input, everything);
    own.dispose();
    expectTrace(got, exact);
    expectClose(got.logits as never, { data: exact.logits.data, shape: [1, input.length, V] }, near(exact.logits));
  }

  test('says what it is', () => {
    const { type, layers, heads, kvHeads, embedSize, maxLength } = model;
    expect({ type, layers, heads, kvHeads, embedSize, maxLength }).toEqual({
      type: 'llama',
      layers: 3,
      heads: 9,
      kvHeads: 3,
      embedSize: 54,
      maxLength: 29,
    });
  });

  describe('equals the oracle, its weights given as', () => {
    test.each(kindsOf(all, 'model.', inHalves))('%s', (_, given, meant) => expectOracle(config, given, meant));
    test('beside the frequencies of old checkpoints', () => {
      const buffer = { 'model.layers.0.self_attn.rotary_emb.inv_freq': { data: new Float32Array(3), shape: [3] } };
      return expectOracle(config, { ...all, ...buffer }, all);
    });
  });

  describe('equals the oracle, with', () => {
    const sizes: [string, Parameters<typeof weights>[0]][] = [
      ['a tied head', { tie_word_embeddings: true }],
      ['biases of attention', { attention_bias: true }],
      ['biases of the feed-forward', { mlp_bias: true }],
      ['biases of both', { attention_bias: true, mlp_bias: true }],
      ['one key head', { num_key_value_heads: 1 }],
      ['a key head for each query head', { num_key_value_heads: 9 }],
      [
        'heads wider than their share',
        { hidden_size: 27, num_attention_heads: 6, num_key_value_heads: 2, head_dim: 10 },
      ],
      [
        'heads narrower than their share',
        { hidden_size: 50, num_attention_heads: 5, num_key_value_heads: 1, head_dim: 2 },
      ],
    ];
    test.each(sizes)('%s', (_, change) => {
      const own = weights(change);
      return expectOracle({ ...config, ...change } as Config, own, own);
    });
    test('the keys of SmolLM2 and of Llama 3.2, which change nothing', () =>
      expectOracle(
        {
          ...config,
          _commit_hash: '4e20de3',
          _name_or_path: 'HuggingFaceTB/SmolLM2-135M',
          dtype: 'bfloat16',
          eos_token_id: [29, 30],
          is_llama_config: true,
          pad_token_id: 2,
          rope_interleaved: false,
          'transformers.js_config': { kv_cache_dtype: { fp16: 'float16' } },
        },
        all,
        all,
      ));
    test('its sizes of heads not said', () => {
      const { head_dim: _, num_key_value_heads: __, ...rest } = config;
      const own = weights({ num_key_value_heads: 9 });
      return expectOracle(rest as Config, own, own);
    });
    test.each([
      ['another epsilon', { rms_norm_eps: 0.1 }],
      ['another base', { rope_theta: 500 }],
      ['no base said', { rope_theta: undefined }],
      ['GELU for SiLU', { hidden_act: 'gelu' }],
      ['the rope that is usual, said', { rope_scaling: { rope_type: 'default' } }],
      ['linear rope', { rope_scaling: { type: 'linear', factor: 2.5 } }],
      ['linear rope by its new name', { rope_scaling: { rope_type: 'linear', factor: 4 } }],
      ['llama3 rope', { rope_scaling: llama3, rope_theta: 500 }],
      ['yarn rope', { rope_scaling: yarn }],
      [
        'yarn rope whose factors are said',
        { rope_scaling: { ...yarn, attention_factor: 1.3, beta_fast: 4, beta_slow: 0.5 } },
      ],
    ])('%s', (_, change) => expectOracle({ ...config, ...change }, all, all));
    test.each([1, 2, 3, 4, 5, 8, 9, 16, 17, 29])('%i tokens', (S) =>
      expectOracle(
        config,
        all,
        all,
        Array.from({ length: S }, (_, s) => (s * 11) % V),
      ),
    );
  });

  test('the rope by its newest name is obeyed or refused', async () => {
    const { rope_theta: _, rope_scaling: __, ...rest } = config;
    const given = { ...rest, rope_parameters: { rope_theta: 500, rope_type: 'default' } };
    let own: Model;
    try {
      own = createModel(engine(), { config: given, tensors: all });
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: expect.stringContaining('rope_parameters') });
      return;
    }
    expectTrace(await own.forward(ids, everything), llama({ ...config, rope_theta: 500 }, all, ids));
    own.dispose();
  });

  describe('is refused with', () => {
    test.each([
      ['a key that nobody knows', { foo_bar: 1 }, /^files\.config\.foo_bar$/],
      [
        'two kinds of rope at once',
        { rope_parameters: { rope_type: 'default' }, rope_scaling: { type: 'linear', factor: 8 } },
        /^files\.config\.rope_scaling$/,
      ],
      ['an activation that is not built', { hidden_act: 'mish' }, /^files\.config\.hidden_act$/],
      [
        'a rope that is not built',
        { rope_scaling: { rope_type: 'longrope', factor: 2 } },
        /^files\.config\.rope_scaling/,
      ],
      [
        'a rope that changes with the length',
        { rope_scaling: { type: 'dynamic', factor: 2 } },
        /^files\.config\.rope_scaling/,
      ],
      ['a rope without its factor', { rope_scaling: { type: 'linear' } }, /^files\.config\.rope_scaling/],
      [
        'a rope with a key that nobody knows',
        { rope_scaling: { ...yarn, foo_bar: 1 } },
        /^files\.config\.rope_scaling/,
      ],
      ['yarn over a base of 1', { rope_scaling: yarn, rope_theta: 1 }, /^files\.config\.rope_theta$/],
      [
        'yarn whose fast end is its slow one',
        { rope_scaling: { ...yarn, beta_fast: 1 } },
        /^files\.config\.rope_scaling\.beta_fast$/,
      ],
      [
        'a rope whose high frequencies are its low ones',
        { rope_scaling: { ...llama3, high_freq_factor: 1 } },
        /^files\.config\.rope_scaling\.high_freq_factor$/,
      ],
      ['weights in another form', { quantization_config: { bits: 4 } }, /^files\.config\.quantization_config$/],
      ['key heads that do not divide', { num_key_value_heads: 4 }, /^files\.config\.num_key_value_heads$/],
      ['an odd head size', { head_dim: 5 }, /^files\.config\.head_dim$/],
      ['no layers said', { num_hidden_layers: undefined }, /^files\.config\.num_hidden_layers$/],
    ])('%s', (_, change, argument) => {
      const error = refusedModel(engine(), { config: { ...config, ...change }, tensors: all });
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.argument).toMatch(argument);
    });
    test('a head that is missing, by name', () => {
      const { 'lm_head.weight': _, ...rest } = all;
      const error = refusedModel(engine(), { config, tensors: rest });
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('lm_head.weight');
    });
    test('a tensor of another shape, by name', () => {
      const name = 'layers.1.self_attn.k_proj.weight';
      const wide = { data: new Float32Array(54 * 54), shape: [54, 54] };
      const error = refusedModel(engine(), { config, tensors: { ...all, [name]: wide } });
      expect(error.code).toBe('SHAPE_MISMATCH');
      expect(error.message).toContain(name);
    });
  });
});
