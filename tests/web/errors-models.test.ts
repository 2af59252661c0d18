import { type Attention, createAttention, masks } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decoders, encoder } from './families.ts';
import { refusal, rejection } from './refusals.ts';

/** What those who know other libraries give a model: texts, encodings, other words. */

let here: Attention;
let there: AsyncAttention;
const models: Record<string, Model> = {};
const any = (value: unknown) => value as never;

beforeAll(async () => {
  [here, there] = await Promise.all([createAttention(), createAttentionWorker({ threads: 1 })]);
  const [decoder] = decoders as [(typeof decoders)[0]];
  models.encoder = createModel(here, any(encoder));
  models.decoder = createModel(here, any(decoder));
  models['encoder in a worker'] = await there.createModel(any(encoder));
  models['decoder in a worker'] = await there.createModel(any(decoder));
});
afterAll(() => {
  here?.dispose();
  there?.dispose();
});

/** As transformers.js has tensors: their parts behind getters. */
class Foreign {
  get data() {
    return BigInt64Array.of(1n, 2n);
  }
  get dims() {
    return [1, 2];
  }
  get type() {
    return 'int64';
  }
}
const encoding = { ids: [1, 2], tokens: ['a', 'b'], attention_mask: [1, 1] };
const batch = { input_ids: new Foreign(), attention_mask: new Foreign() };

const inputs: [what: string, input: unknown, ...says: string[]][] = [
  ['a text', 'a text', "the text 'a text'", 'tokenizer.encode(text).ids'],
  ['texts', ['one', 'two'], "the text 'one'", 'tokenizer.encode(text).ids'],
  ['an encoding', encoding, 'encoding.ids'],
  ['encodings', [encoding, encoding], 'of each', 'encoding.ids'],
  ['what transformers.js gives', batch, 'encoding.input_ids', 'options.attentionMask'],
  ['a promise', Promise.resolve([1]), 'await it first'],
  ['nothing', undefined, 'got undefined', 'token ids'],
  ['a number', 3, 'got 3', 'token ids'],
];

describe.each(['encoder', 'decoder', 'encoder in a worker', 'decoder in a worker'])('%s', (name) => {
  const model = () => models[name] as Model;
  const isDecoder = name.startsWith('decoder');

  test.each(inputs)('given %s says how to make ids of it', async (_, input, ...says) => {
    const calls: [string, Promise<unknown>][] = [
      ['input', model().forward(any(input))],
      ['input', model().embed(any(input))],
    ];
    if (isDecoder) calls.push(['prompt', model().generate(any(input), { maxNewTokens: 1 })]);
    for (const [argument, call] of calls) {
      const error = await rejection(call);
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
      for (const word of says) expect(error.message).toContain(word);
    }
  });

  test('its parts are taken', async () => {
    const want = await model().embed([1, 2]);
    expect(await model().embed(encoding.ids)).toEqual(want);
    const { input_ids, attention_mask } = batch;
    expect(await model().embed(any(input_ids), { attentionMask: any(attention_mask) })).toEqual(want);
  });

  test.each([
    ['output_attentions', 'attention'],
    ['output_hidden_states', 'hiddenStates'],
    ['attention_mask', 'attentionMask'],
    ['head_mask', 'ablateHeads'],
    ['past_key_values', 'cache'],
    ['use_cache', 'cache'],
    ['weights', 'attention'],
  ])('forward with %s says %s', async (key, ours) => {
    const error = await rejection(model().forward([1], any({ [key]: true })));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', `options.${key}`]);
    expect(error.message).toMatch(new RegExp(`did you mean ${ours}\\?\\)$`));
  });

  test.runIf(isDecoder).each([
    ['max_new_tokens', 'did you mean maxNewTokens?'],
    ['max_length', 'maxNewTokens? The prompt is not counted.'],
    ['do_sample', 'temperature? Above 0 tokens are drawn.'],
    ['top_k', 'topK?'],
    ['eos_token_id', 'stop?'],
    ['streamer', 'onToken?'],
    ['input_ids', 'token ids are the first argument'],
    ['nonsense', 'wanted one of'],
  ])('generate with %s says %s', async (key, says) => {
    const error = await rejection(model().generate([1], any({ maxNewTokens: 1, [key]: 1 })));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', `options.${key}`]);
    expect(error.message).toContain(says);
    expect(error.message.length).toBeLessThan(200);
  });

  test('a mask that is none says how to make one', async () => {
    for (const [mask, says] of [
      [() => true, 'masks.fromFunction(f)'],
      [masks.causal, 'masks.causal('],
      ['slidingWindow', 'masks.slidingWindow('],
      [Promise.resolve(masks.causal()), 'await it first'],
    ] as const) {
      const error = await rejection(model().forward([1, 2], { mask: any(mask) }));
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.mask']);
      expect(error.message).toContain(says);
    }
  });

  test('a mask in the place of options is refused', async () => {
    const error = await rejection(model().forward([1, 2], any(masks.causal())));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options']);
  });
});

describe('loading', () => {
  test('a model is made over an engine', () => {
    for (const [attention, says] of [
      [undefined, 'undefined'],
      [there, 'createModel()'],
      [createAttention, 'createAttention()'],
      [Promise.resolve(here), 'Promise'],
    ] as const) {
      const error = refusal(() => createModel(any(attention), any(encoder)));
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'attention']);
      expect(error.message).toContain(says);
    }
  });

  test.each([
    ['threads', true, "'auto', or a count"],
    ['numThreads', 4, 'did you mean threads?'],
    ['wasmPaths', '/', 'did you mean wasm?'],
    ['proxy', true, 'attention-wasm/worker'],
    ['device', 'webgpu', 'in WebAssembly'],
    ['variant', 'relaxed', "did you mean 'relaxed-simd'?"],
  ])('createAttention with %s %s says %s', async (key, value, says) => {
    const error = await rejection(createAttention(any({ [key]: value })));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', `options.${key}`]);
    expect(error.message).toContain(says);
  });
});
