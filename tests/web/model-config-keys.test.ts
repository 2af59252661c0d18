import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decoders, encoder } from './families.ts';
import { refusedModel, rejection } from './refusals.ts';
import * as ofMarian from './synthetic-marian.ts';
import * as ofVit from './synthetic-vit.ts';
import { forEachVariant } from './variants.ts';

const ids = [3, 0, 28, 7, 14];
const [, llama] = decoders as [unknown, (typeof decoders)[number]];

/** Keys of published checkpoints that change nothing. */
const inert = {
  directionality: 'bidi',
  pooler_fc_size: 768,
  pooler_num_attention_heads: 12,
  pooler_num_fc_layers: 3,
  pooler_size_per_head: 128,
  pooler_type: 'first_token_transform',
  export_model_type: 'transformer',
  emb_size: 384,
  sbert_ce_default_activation_function: 'torch.nn.modules.linear.Identity',
  sentence_transformers: { activation_fn: 'torch.nn.modules.activation.Sigmoid', version: '4.1.0' },
  unsloth_fixed: true,
  unsloth_version: '2025.1',
  language: 'english',
  name: 'Bert',
  extra_pos_embeddings: 1,
  max_sequence_length: 512,
  model_max_length: 512,
  tokenizer_class: 'BertTokenizer',
  tokenizer_padding_side: 'left',
  eos_token_ids: 0,
  vocab_size_or_config_json_file: 30522,
  predict_special_tokens: true,
  n_special: 0,
  xla_device: true,
  adapters: { adapters: {}, config_map: {} },
  neftune_noise_alpha: 5,
  use_flash_attention: true,
  _flash_attn_2_enabled: true,
  _attn_implementation_internal: 'sdpa',
  cache_implementation: 'hybrid',
  add_pooling_layer: true,
  loss_function: 'ForCausalLMLoss',
  matryoshka_dimensions: [384, 256, 128],
  quantization_config: {},
  layer_types: ['full_attention', 'full_attention', 'full_attention'],
};
/** What generate() is asked for and does not do, and what asks for nothing. */
const asked: [key: string, value: unknown, nothing: unknown][] = [
  ['repetition_penalty', 1.2, 1],
  ['no_repeat_ngram_size', 3, 0],
  ['encoder_no_repeat_ngram_size', 3, 0],
  ['min_length', 56, 0],
  ['forced_bos_token_id', 5, null],
  ['suppress_tokens', [3], []],
  ['begin_suppress_tokens', [3, 5], null],
  ['bad_words_ids', [[3, 4]], []],
  ['exponential_decay_length_penalty', [5, 1.5], null],
  ['guidance_scale', 1.5, 1],
];
const searched = {
  ...{ max_length: 20, temperature: 0.6, top_k: 50, top_p: 0.9, do_sample: true, num_beams: 4 },
  ...{ length_penalty: 2, early_stopping: true, typical_p: 0.5, num_return_sequences: 1 },
};

let worker: AsyncAttention;
beforeAll(async () => {
  worker = await createAttentionWorker();
});
afterAll(() => worker?.dispose());

forEachVariant('keys of config.json', (engine: () => Attention) => {
  const unknown = { sparse_blocks: 4, emb_dims: 3, foo: 'bar' };

  test('all unknown ones are named at once', () => {
    const { argument, message } = refusedModel(engine(), {
      config: { ...encoder.config, ...unknown },
      tensors: encoder.tensors,
    });
    expect(argument).toBe('files.config');
    for (const key of Object.keys(unknown)) expect(message).toContain(`'${key}'`);
    expect(message).not.toContain('hidden_size');
  });

  describe.each([
    ['here', async (files: object, options: object) => createModel(engine(), files as never, options as never)],
    ['in a worker', async (files: object, options: object) => worker.createModel(files as never, options as never)],
  ])('options.ignore %s', (_, make) => {
    const files = { config: { ...encoder.config, ...unknown }, tensors: encoder.tensors };
    test('leaves them out', async () => {
      const model = await make(files, { ignore: Object.keys(unknown), weights: 'int8' });
      const plain = await make({ ...files, config: encoder.config }, { weights: 'int8' });
      expect((await model.embed(ids)).data).toEqual((await plain.embed(ids)).data);
      model.dispose();
      plain.dispose();
    });
    test('names the others', async () => {
      const { argument } = await rejection(make(files, { ignore: ['foo', 'emb_dims'] }));
      expect(argument).toBe('files.config.sparse_blocks');
    });
    test.each([
      ['a key that the family reads', ['hidden_size'], "'hidden_size'"],
      ['a key that the family reads to refuse', ['position_embedding_type'], "'position_embedding_type'"],
      ['a key that is not there', ['foo', 'emb_dims', 'sparse_blocks', 'bar'], "'bar'"],
      ['a name', 'foo', "'foo'"],
      ['a number among keys', [3], '3'],
    ])('refuses %s', async (_, ignore, told) => {
      const error = await rejection(make(files, { ignore }));
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.ignore']);
      expect(error.message).toContain(told);
    });
    test('of a key that changes nothing anyway is fine', async () => {
      const config = { ...encoder.config, emb_size: 384 };
      (await make({ ...files, config }, { ignore: ['emb_size'] })).dispose();
    });
  });

  describe.each([
    encoder,
    ...decoders,
    { name: 'ViT', config: ofVit.config, tensors: ofVit.weights() },
    { name: 'Marian', config: ofMarian.config, tensors: ofMarian.weights() },
  ])('$name', ({ config, tensors }) => {
    test.each(Object.entries({ ...inert, ...searched }))('%s changes nothing', (key, value) => {
      createModel(engine(), { config: { ...config, [key]: value }, tensors }).dispose();
    });
    test('what is null, false or empty asks for nothing', () => {
      const nothing = { a_new_key: null, another: false, a_third: {}, a_fourth: [] };
      createModel(engine(), { config: { ...config, ...nothing }, tensors }).dispose();
    });
    test.each([
      ['layer_types', ['full_attention', 'sliding_attention', 'full_attention']],
      ['quantization_config', { quant_method: 'gptq', bits: 4 }],
    ])('%s that changes something is refused', (key, value) => {
      const error = refusedModel(engine(), { config: { ...config, [key]: value }, tensors });
      expect(error.argument).toBe(`files.config.${key}`);
    });
  });

  describe.each([...decoders, { name: 'Marian', config: ofMarian.config, tensors: ofMarian.weights() }])(
    'of generate, $name',
    ({ config, tensors }) => {
      const other = config.model_type === 'marian' ? { decoderIds: [28, 3] } : {};
      const without = async (model: Model) => [...(await model.generate(ids, { maxNewTokens: 3, stop: [] }))];

      test.each(asked)('%s of %o: forward and embed work, generate names it', async (key, value) => {
        const model = createModel(engine(), { config: { ...config, [key]: value }, tensors });
        const plain = createModel(engine(), { config, tensors });
        expect((await model.forward(ids, other)).logits).toEqual((await plain.forward(ids, other)).logits);
        expect(await model.embed(ids)).toEqual(await plain.embed(ids));
        const error = await rejection(model.generate(ids, { maxNewTokens: 3 }));
        expect([error.code, error.message.includes(`'${key}'`)]).toEqual(['INVALID_ARGUMENT', true]);
        model.dispose();
        plain.dispose();
      });
      test('all of them are named at once', async () => {
        const all = Object.fromEntries(asked.map(([key, value]) => [key, value]));
        const model = createModel(engine(), { config: { ...config, ...all }, tensors });
        const { message } = await rejection(model.generate(ids, { maxNewTokens: 3 }));
        for (const [key] of asked) expect(message).toContain(`'${key}'`);
        model.dispose();
      });
      test('those that ask for nothing are passed over, and ignored ones too', async () => {
        const { bad_words_ids: _, ...rest } = config as typeof config & { bad_words_ids?: unknown };
        const nothing = Object.fromEntries(asked.map(([key, , nothing]) => [key, nothing]));
        const all = Object.fromEntries(asked.map(([key, value]) => [key, value]));
        const quiet = createModel(engine(), { config: { ...rest, ...nothing }, tensors } as never);
        const ignored = createModel(engine(), { config: { ...rest, ...all }, tensors } as never, {
          ignore: asked.map(([key]) => key),
        });
        expect(await without(ignored)).toEqual(await without(quiet));
        quiet.dispose();
        ignored.dispose();
      });
    },
  );

  describe('of sliding windows, Llama', () => {
    const windowed = { sliding_window: 4096, max_window_layers: 28 };
    test('beside use_sliding_window: false they change nothing', () => {
      const config = { ...llama.config, ...windowed, use_sliding_window: false };
      createModel(engine(), { config, tensors: llama.tensors }).dispose();
    });
    test.each([{}, { use_sliding_window: true }])('are refused beside %o', (use) => {
      const config = { ...llama.config, ...windowed, ...use };
      const error = refusedModel(engine(), { config, tensors: llama.tensors });
      expect(error.argument).toBe('files.config.sliding_window');
    });
  });

  describe('no model_type', () => {
    const { model_type: _, ...rest } = llama.config;
    test.each([
      ['LlamaForCausalLM', 'llama'],
      ['LlamaModel', 'llama'],
      ['LlamaForSequenceClassification', 'llama'],
    ])('is read from %s', (name, type) => {
      const config = { ...rest, architectures: [name] };
      const model = createModel(engine(), { config, tensors: llama.tensors });
      expect(model.type).toBe(type);
      model.dispose();
    });
    test.each([
      ['bert', encoder.config, encoder.tensors, 'BertForMaskedLM'],
      ['gpt2', decoders[0]?.config, decoders[0]?.tensors, 'GPT2LMHeadModel'],
      ['vit', ofVit.config, ofVit.weights(), 'ViTForImageClassification'],
      ['marian', ofMarian.config, ofMarian.weights(), 'MarianMTModel'],
    ])('is read from the class of %s', (type, config, tensors, name) => {
      const model = createModel(engine(), {
        config: { ...config, model_type: null, architectures: [name] },
        tensors,
      } as never);
      expect(model.type).toBe(type);
      model.dispose();
    });
    test.each(['BertGenerationDecoder', 'ViTMAEModel', 'LlamaBidirectionalModel', 'MambaForCausalLM', ''])(
      'is refused beside %s',
      (name) => {
        const error = refusedModel(engine(), { config: { ...rest, architectures: [name] }, tensors: llama.tensors });
        expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'files.config.architectures']);
        expect(error.message).toContain(`'${name}'`);
      },
    );
    test('is refused beside nothing', () => {
      const { architectures: _, ...bare } = rest;
      const error = refusedModel(engine(), { config: bare, tensors: llama.tensors });
      expect(error.argument).toBe('files.config.model_type');
    });
  });
});
