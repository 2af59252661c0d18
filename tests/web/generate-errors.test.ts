import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decoders, encoder } from './families.ts';
import { rejection } from './refusals.ts';
import { forEachVariant } from './variants.ts';

const prompt = [3, 0, 28, 7, 14];

forEachVariant('generate refuses', (engine: () => Attention) => {
  describe.each(decoders)('of $name', (family) => {
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: family.config, tensors: family.tensors });
    });
    afterAll(() => model?.dispose());

    test('a prompt that was disposed, by its name', async () => {
      const ids = engine().tensor({ data: Int32Array.from(prompt), shape: [prompt.length] });
      ids.dispose();
      const error = await rejection(model.generate(ids, { maxNewTokens: 2 }));
      expect([error.code, error.argument]).toEqual(['DISPOSED', 'prompt']);
    });

    test.each([
      ['no count', {}, 'options.maxNewTokens'],
      ['a broken count', { maxNewTokens: 1.5 }, 'options.maxNewTokens'],
      ['a negative count', { maxNewTokens: -1 }, 'options.maxNewTokens'],
      ['topK without a temperature', { topK: 3 }, 'options.topK'],
      ['topP without a temperature', { topP: 0.5 }, 'options.topP'],
      ['seed without a temperature', { seed: 1 }, 'options.seed'],
      ['topK at temperature 0', { temperature: 0, topK: 3 }, 'options.topK'],
      ['a negative temperature', { temperature: -1 }, 'options.temperature'],
      ['NaN for a temperature', { temperature: NaN }, 'options.temperature'],
      ['a topK of 0', { temperature: 1, topK: 0 }, 'options.topK'],
      ['a broken topK', { temperature: 1, topK: 1.5 }, 'options.topK'],
      ['a topP of 0', { temperature: 1, topP: 0 }, 'options.topP'],
      ['a topP past 1', { temperature: 1, topP: 1.1 }, 'options.topP'],
      ['a broken seed', { temperature: 1, seed: 0.5 }, 'options.seed'],
      ['onToken that is no function', { onToken: 3 }, 'options.onToken'],
      ['hiddenStates, which only forward has', { hiddenStates: true }, 'options.hiddenStates'],
      ['a key that nobody knows', { foo: 1 }, 'options.foo'],
      ['a cache that is none', { cache: {} }, 'options.cache'],
    ])('%s', async (what, options, argument) => {
      const given = what === 'no count' ? options : { maxNewTokens: 2, ...options };
      const error = await rejection(model.generate(prompt, given as never));
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
    });
    test('more than there are positions for', async () => {
      const error = await rejection(model.generate(prompt, { maxNewTokens: model.maxLength - prompt.length + 1 }));
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.maxNewTokens']);
    });
    test.each([
      ['nothing', []],
      ['two sequences', [prompt, prompt]],
      ['an id past the vocabulary', [31]],
    ])('a prompt of %s', async (_, input) => {
      const error = await rejection(model.generate(input as never, { maxNewTokens: 1 }));
      expect(error.code).toMatch(/INVALID_ARGUMENT|SHAPE_MISMATCH/);
    });
    test('a signal that is aborted', async () => {
      const error = await rejection(model.generate(prompt, { maxNewTokens: 1, signal: AbortSignal.abort('no') }));
      expect([error.code, error.cause]).toEqual(['ABORTED', 'no']);
    });
  });

  test('all of BERT', async () => {
    const model = createModel(engine(), { config: encoder.config, tensors: encoder.tensors });
    expect((await rejection(model.generate(prompt, { maxNewTokens: 1 }))).code).toBe('INVALID_ARGUMENT');
    model.dispose();
  });
});
