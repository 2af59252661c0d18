import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { describe, expect, test } from 'vitest';
import { withHead } from './checkpoint-files.ts';
import { expectClose } from './compare.ts';
import { near } from './model-compare.ts';
import { gpt2 } from './oracle/gpt2.ts';
import { llama } from './oracle/llama.ts';
import type { Plain } from './random.ts';
import { refusedModel } from './refusals.ts';
import * as ofBert from './synthetic-bert.ts';
import * as ofGpt2 from './synthetic-gpt2.ts';
import * as ofLlama from './synthetic-llama.ts';
import * as ofMarian from './synthetic-marian.ts';
import * as ofVit from './synthetic-vit.ts';
import { forEachVariant } from './variants.ts';

type Tensors = Record<string, Plain>;
const ids = [3, 0, 28, 7, 14];
const filled = (value: number, ...shape: number[]): Plain => {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value);
  return { data, shape };
};
const copied = ({ data, shape }: Plain): Plain => ({ data: data.slice() as Float32Array, shape });

const families = [
  { name: 'BERT', prefix: 'bert.', config: ofBert.config, all: ofBert.weights() as Tensors },
  { name: 'GPT-2', prefix: 'transformer.', config: ofGpt2.config, all: ofGpt2.weights() as Tensors },
  { name: 'Llama', prefix: 'model.', config: ofLlama.config, all: ofLlama.weights() as Tensors },
  { name: 'ViT', prefix: 'vit.', config: ofVit.config, all: ofVit.weights() as Tensors },
  { name: 'Marian', prefix: 'model.', config: ofMarian.config, all: ofMarian.weights() as Tensors },
];
const statesOf = async (model: Model): Promise<Float32Array> => {
  const options = model.type === 'marian' ? { decoderIds: [28, 3, 4] } : {};
  const input = model.type === 'vit' ? ofVit.picture(1) : ids;
  const { lastHiddenState } = await model.forward(input, options);
  model.dispose();
  return lastHiddenState.data;
};

forEachVariant('names of tensors', (engine: () => Attention) => {
  describe.each(families)('of $name', ({ prefix, config, all }) => {
    const made = (tensors: Tensors) => createModel(engine(), { config, tensors });

    test('gamma and beta of norms are their weight and bias', async () => {
      const isNorm = /(norm\w*|ln_\w+)\.(weight|bias)$/i;
      const old = Object.fromEntries(
        Object.entries(all).map(([name, tensor]) => {
          const renamed = name.replace(/weight$/, 'gamma').replace(/bias$/, 'beta');
          return [isNorm.test(name) ? renamed : name, tensor];
        }),
      );
      expect(Object.keys(old).filter((name) => name.endsWith('gamma')).length).toBeGreaterThan(5);
      expect(await statesOf(made(withHead(old, prefix)))).toEqual(await statesOf(made(all)));
    });

    test('a tensor of a layer that nothing reads is refused by the name that the file has', () => {
      const layer = Object.keys(all).find((name) => /(layers?|h)\.1\./.test(name)) as string;
      const name = layer.replace(/((?:layers?|h)\.1\.).*/, '$1adapter.down.weight');
      const error = refusedModel(engine(), { config, tensors: withHead({ ...all, [name]: filled(0, 2) }, prefix) });
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'files.tensors']);
      expect(error.message).toContain(`'${prefix}${name}'`);
    });
    test('and so is a layer more than the config has', () => {
      const more = Object.fromEntries(
        Object.entries(all)
          .filter(([name]) => /(layers?|h)\.1\./.test(name))
          .map(([name, tensor]) => [name.replace(/((?:layers?|h)\.)1\./, '$17.'), tensor]),
      );
      const error = refusedModel(engine(), { config, tensors: { ...all, ...more } });
      expect(error.argument).toBe('files.tensors');
      expect(error.message).toContain(` and ${Object.keys(more).length - 1} more`);
    });
    test('tensors outside the layers are left alone', async () => {
      const others = { 'score.weight': filled(1, 3, 4), 'cls.predictions.bias': filled(1, 5) };
      expect(await statesOf(made({ ...all, ...others }))).toEqual(await statesOf(made(all)));
    });
  });

  describe('of layers that run as if they were not there', () => {
    test.each([
      'self_attn.q_proj.bias',
      'self_attn.q_norm.weight',
      'self_attn.k_norm.weight',
      'pre_feedforward_layernorm.weight',
      'post_feedforward_layernorm.weight',
      'input_layernorm.bias',
      'mlp.gate_proj.bias',
    ])('Llama with %s', (name) => {
      const tensors = { ...ofLlama.weights(), [`layers.2.${name}`]: filled(1, 54) };
      const { argument, message } = refusedModel(engine(), { config: ofLlama.config, tensors });
      expect([argument, message.includes(`layers.2.${name}`)]).toEqual(['files.tensors', true]);
    });
  });

  describe('of buffers that nobody reads', () => {
    test.each([
      ['GPT-2', 'h.0.attn.bias', filled(1, 1, 1, 23, 23)],
      ['GPT-2', 'h.2.attn.masked_bias', filled(-1e4)],
      ['Llama', 'layers.1.self_attn.rotary_emb.inv_freq', filled(1, 3)],
      ['BERT', 'embeddings.position_ids', filled(0, 1, 19)],
    ])('%s: %s', async (family, name, tensor) => {
      const { config, all } = families.find((one) => one.name === family) as (typeof families)[number];
      const [got, want] = [{ ...all, [name]: tensor }, all].map((tensors) =>
        createModel(engine(), { config, tensors }),
      );
      expect(await statesOf(got as Model)).toEqual(await statesOf(want as Model));
    });
  });

  test.each(families.slice(2, 3))('a head stands outside the prefix: $name', ({ config, all }) => {
    const { 'lm_head.weight': head, ...rest } = all;
    const missing = refusedModel(engine(), { config, tensors: withHead(rest, 'model.') });
    expect(missing.message).toContain("'lm_head.weight'");
    expect(missing.message).not.toContain('model.lm_head');
    const wide = refusedModel(engine(), {
      config,
      tensors: withHead({ ...all, 'lm_head.weight': filled(0, 1) }, 'model.'),
    });
    expect([wide.code, wide.message.includes("'lm_head.weight'")]).toEqual(['SHAPE_MISMATCH', true]);
    expect(head?.shape).toEqual([31, 54]);
  });

  describe('of embeddings and logits that are tied', () => {
    const untied = ofLlama.weights();
    const {
      'lm_head.weight': head,
      'embed_tokens.weight': words,
      ...rest
    } = untied as Tensors as {
      [name: string]: Plain;
      'lm_head.weight': Plain;
      'embed_tokens.weight': Plain;
    };
    const tiedConfig = { ...ofLlama.config, tie_word_embeddings: true };
    const exact = (own: Plain) => {
      const { tie_word_embeddings: _, ...config } = ofLlama.config;
      const all = { ...rest, 'embed_tokens.weight': words, 'lm_head.weight': own };
      return llama({ ...config, tie_word_embeddings: false } as never, all as never, ids).logits;
    };
    const oneWeight = createModelBytes(() => engine(), tiedConfig, { ...rest, 'embed_tokens.weight': words });

    test.each([
      ['only the embedding is there', { 'embed_tokens.weight': words }, words, true],
      ['only the head is there', { 'lm_head.weight': words }, words, true],
      ['a copy is there', { 'embed_tokens.weight': words, 'lm_head.weight': copied(words) }, words, true],
      ['a head of its own is there', { 'embed_tokens.weight': words, 'lm_head.weight': head }, head, false],
    ])('%s', async (_, given, own, isOne) => {
      const model = createModel(engine(), { config: tiedConfig, tensors: withHead({ ...rest, ...given }, 'model.') });
      expectClose(
        (await model.forward(ids, { logits: 'all' })).logits as never,
        { ...exact(own), shape: [1, 5, 31] },
        near(exact(own)),
      );
      expect(model.byteLength === oneWeight()).toBe(isOne);
      model.dispose();
    });
    test('neither is there: the embedding is asked for', () => {
      const error = refusedModel(engine(), { config: tiedConfig, tensors: withHead(rest, 'model.') });
      expect(error.message).toContain("'model.embed_tokens.weight'");
    });
    test('GPT-2, which is tied unless its config says otherwise', async () => {
      const all = ofGpt2.weights() as Tensors;
      const own = ofGpt2.weights({ head: true, seed: 4 })['lm_head.weight'] as Plain;
      const tensors = { ...all, 'lm_head.weight': own };
      const model = createModel(engine(), { config: ofGpt2.config, tensors: withHead(tensors, 'transformer.') });
      const want = gpt2({ ...ofGpt2.config, tie_word_embeddings: false } as never, tensors as never, ids).logits;
      expectClose(
        (await model.forward(ids, { logits: 'all' })).logits as never,
        { ...want, shape: [1, 5, 31] },
        near(want),
      );
      model.dispose();
    });
    test.each(['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight', 'lm_head.weight'])(
      'Marian whose table is %s',
      async (name) => {
        const all = ofMarian.weights() as Tensors;
        const { 'shared.weight': shared, ...others } = all;
        const tensors = { ...others, [name]: shared as Plain };
        const [got, want] = [tensors, all].map((one) =>
          createModel(engine(), { config: ofMarian.config, tensors: one }),
        );
        expect(await statesOf(got as Model)).toEqual(await statesOf(want as Model));
      },
    );
    test('Marian whose decoder has words of its own is refused by its name', () => {
      const tensors = { ...ofMarian.weights(), 'decoder.embed_tokens.weight': filled(1, 29, 22) };
      const error = refusedModel(engine(), { config: ofMarian.config, tensors: withHead(tensors, 'model.') });
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'files.tensors']);
      expect(error.message).toContain('model.decoder.embed_tokens.weight');
    });
  });
});

/** Bytes of a model's weights, once. */
function createModelBytes(engine: () => Attention, config: object, tensors: Tensors): () => number {
  return () => {
    const model = createModel(engine(), { config, tensors } as never);
    model.dispose();
    return model.byteLength;
  };
}
