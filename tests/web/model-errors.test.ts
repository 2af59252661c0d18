import { type Attention, AttentionError, createAttention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { bert } from './oracle/bert.ts';
import { config, inFile, weights } from './synthetic-bert.ts';
import { forEachVariant } from './variants.ts';

const all = weights();
const ids = [3, 0, 28, 7];
const exact = bert(config, all, ids).hiddenStates[3] as { data: Float64Array };

function madeWith(engine: Attention, files: object, options?: object): AttentionError {
  try {
    createModel(engine, { config, tensors: all, ...files } as never, options as never).dispose();
  } catch (error) {
    if (error instanceof AttentionError) return error;
    throw error;
  }
  throw new Error('the model was made');
}

forEachVariant('a model refuses', (engine, variant) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config, tensors: all });
  });
  afterAll(() => model.dispose());
  const stillRight = async () =>
    expectClose((await model.forward(ids)).lastHiddenState, { data: exact.data, shape: [1, 4, 21] }, 2e-5);
  const refusal = async (promise: Promise<unknown>): Promise<AttentionError> => {
    const error = await promise.then(
      () => new Error('it was accepted'),
      (reason: unknown) => reason,
    );
    if (error instanceof AttentionError) return error;
    throw error;
  };

  describe('checkpoints', () => {
    test.each([
      ['another family', { model_type: 't5' }, 't5'],
      ['no family', { model_type: undefined }, 'model_type'],
      ['another activation', { hidden_act: 'mish' }, 'hidden_act'],
      ['relative positions', { position_embedding_type: 'relative_key' }, 'position_embedding_type'],
      ['heads that do not divide', { num_attention_heads: 4 }, 'heads'],
      ['no layers said', { num_hidden_layers: undefined }, 'num_hidden_layers'],
      ['a decoder', { is_decoder: true }, 'is_decoder'],
    ])('%s', (_, change, name) => {
      const error = madeWith(engine(), { config: { ...config, ...change } });
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain(name);
    });
    test.each([[undefined], [null], ['bert'], [[]]])('a config that is %s', (given) => {
      expect(madeWith(engine(), { config: given }).code).toBe('INVALID_ARGUMENT');
    });
    test.each([[undefined], [null], ['file']])('files that are %s', (files) => {
      expect(() => createModel(engine(), files as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'files' }),
      );
    });
    test('a tensor that is missing, by name', () => {
      const { 'encoder.layer.1.attention.self.key.bias': _, ...rest } = all;
      const error = madeWith(engine(), { tensors: rest });
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('encoder.layer.1.attention.self.key.bias');
    });
    test('a tensor of another shape, by name', () => {
      const name = 'encoder.layer.2.output.dense.weight';
      const error = madeWith(engine(), {
        tensors: { ...all, [name]: { data: new Float32Array(21 * 36), shape: [21, 36] } },
      });
      expect(error.code).toBe('SHAPE_MISMATCH');
      for (const word of [name, '36', '37']) expect(error.message).toContain(word);
    });
    test('bytes that are no file', () => {
      expect(madeWith(engine(), { tensors: inFile(all).subarray(0, 500) }).code).toBe('CORRUPT_FILE');
    });
    test('weights of another type, and unknown options', () => {
      const int4 = madeWith(engine(), {}, { weights: 'int4' });
      expect([int4.code, int4.argument]).toEqual(['INVALID_ARGUMENT', 'options.weights']);
      const unknown = madeWith(engine(), {}, { wieghts: 'float32' });
      expect([unknown.code, unknown.argument]).toEqual(['INVALID_ARGUMENT', 'options.wieghts']);
    });
    test('leave no memory behind', () => {
      const { 'encoder.layer.2.output.LayerNorm.bias': _, ...broken } = all;
      for (let n = 0; n < 3; n++) madeWith(engine(), { tensors: broken });
      const bytes = engine().info.memoryBytes;
      for (let n = 0; n < 200; n++) madeWith(engine(), { tensors: broken });
      expect(engine().info.memoryBytes).toBe(bytes);
    });
  });

  describe('inputs and options', () => {
    test.each([
      ['an id past the vocabulary', [1, 29], {}, /^INVALID_ARGUMENT$/, '0..28'],
      ['a negative id', [1, -1], {}, /^INVALID_ARGUMENT$/, '-1'],
      ['a broken id', [0.5], {}, /^INVALID_ARGUMENT$/, '0.5'],
      ['more tokens than positions', Array(20).fill(1), {}, /^(INVALID_ARGUMENT|SHAPE_MISMATCH)$/, '19'],
      ['nothing', undefined, {}, /^INVALID_ARGUMENT$/, 'undefined'],
      ['text', 'hello', {}, /^INVALID_ARGUMENT$/, 'hello'],
      ['float ids', { data: new Float32Array(2), shape: [2] }, {}, /^UNSUPPORTED_DTYPE$/, 'float32'],
      ['ids of rank 3', { data: new Int32Array(2), shape: [1, 1, 2] }, {}, /^SHAPE_MISMATCH$/, '1'],
      ['a mask of another length', ids, { attentionMask: [1, 1] }, /^SHAPE_MISMATCH$/, 'attentionMask'],
      ['types of another length', ids, { tokenTypeIds: [1, 1] }, /^SHAPE_MISMATCH$/, 'tokenTypeIds'],
      ['a type past the table', ids, { tokenTypeIds: [0, 0, 2, 0] }, /^INVALID_ARGUMENT$/, 'tokenTypeIds'],
      ['a layer that is not there', ids, { attention: { layers: [3] } }, /^INVALID_ARGUMENT$/, 'layers'],
      ['a head that is not there', ids, { attention: { heads: [-1] } }, /^INVALID_ARGUMENT$/, 'heads'],
      ['an unknown option', ids, { hidenStates: true }, /^INVALID_ARGUMENT$/, 'hiddenStates'],
      ['onLayer that is no function', ids, { onLayer: 3 }, /^INVALID_ARGUMENT$/, 'onLayer'],
    ])('%s', async (_, input, options, code, word) => {
      const error = await refusal(model.forward(input as never, options as never));
      expect(error.code).toMatch(code);
      expect(error.message).toContain(word);
      await stillRight();
    });
    test.each([
      ['mask', 3],
      ['mask', { data: new Int32Array(16), shape: [4, 4] }],
      ['ablateHeads', [[0, 3]]],
      ['ablateHeads', [0]],
      ['attentionTemperature', 0],
      ['projections', 1],
      ['decoderIds', [1]],
      ['logits', 'all'],
      ['cache', {}],
    ])('%s of %o, by name', async (name, value) => {
      const error = await refusal(model.forward(ids, { [name]: value } as never));
      expect(error.code).toMatch(/^(INVALID_ARGUMENT|UNSUPPORTED_DTYPE)$/);
      expect(error.argument).toBe(`options.${name}`);
      await stillRight();
    });
    test('an array of masks that is not one for each layer', async () => {
      const error = await refusal(model.forward(ids, { mask: [null, null] }));
      expect([error.code, error.argument]).toEqual(['SHAPE_MISMATCH', 'options.mask']);
    });
    test('an unknown pooling', async () => {
      const error = await refusal(model.embed(ids, { pooling: 'max' } as never));
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.pooling']);
    });
    test('to generate, and to make a cache: it is no decoder', async () => {
      expect((await refusal(model.generate(ids, { maxNewTokens: 1 }))).code).toBe('INVALID_ARGUMENT');
      expect(() => model.createCache()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    });
  });

  describe('to go on', () => {
    const reason = new Error('seen enough');
    test('when the signal is aborted before', async () => {
      const error = await refusal(model.forward(ids, { signal: AbortSignal.abort(reason) }));
      expect([error.code, error.cause]).toEqual(['ABORTED', reason]);
      await stillRight();
    });
    test.each([0, 1])('when it is aborted in layer %i', async (at) => {
      const controller = new AbortController();
      const seen: number[] = [];
      const onLayer = (layer: number) => {
        seen.push(layer);
        if (layer === at) controller.abort(reason);
      };
      const error = await refusal(model.forward(ids, { signal: controller.signal, onLayer }));
      expect([error.code, error.cause]).toEqual(['ABORTED', reason]);
      expect(seen).toEqual([0, 1, 2].slice(0, at + 1));
      await stillRight();
    });
    test('and keeps no memory of what was given up', async () => {
      const batch = Array.from({ length: 64 }, () => Array.from({ length: 19 }, (_, s) => s));
      const giveUp = async () => {
        const controller = new AbortController();
        const onLayer = () => controller.abort(reason);
        await refusal(model.forward(batch, { signal: controller.signal, onLayer, hiddenStates: true }));
        await refusal(model.forward(batch, { tokenTypeIds: batch }));
      };
      for (let n = 0; n < 3; n++) await giveUp();
      const bytes = engine().info.memoryBytes;
      for (let n = 0; n < 100; n++) await giveUp();
      expect(engine().info.memoryBytes).toBe(bytes);
    });
    test('one call aborted, the next in line unharmed', async () => {
      const controller = new AbortController();
      const first = model.forward(ids, { signal: controller.signal });
      const second = model.forward(ids);
      controller.abort(reason);
      expect((await refusal(first)).code).toBe('ABORTED');
      expectClose((await second).lastHiddenState, { data: exact.data, shape: [1, 4, 21] }, 2e-5);
    });
    test.each(['model', 'engine'] as const)('when the %s is disposed between layers', async (which) => {
      const other = await createAttention({ variant });
      const own = createModel(other, { config, tensors: all });
      const seen: number[] = [];
      const onLayer = (layer: number) => {
        seen.push(layer);
        if (layer === 0) (which === 'model' ? own : other).dispose();
      };
      expect((await refusal(own.forward(ids, { onLayer }))).code).toBe('DISPOSED');
      expect(seen).toEqual([0]);
      other.dispose();
    });
    test('when onLayer throws: with what it threw', async () => {
      const onLayer = () => {
        throw reason;
      };
      await expect(model.forward(ids, { onLayer })).rejects.toBe(reason);
      await stillRight();
    });
    test('after dispose, its own or the engine’s', async () => {
      const own = createModel(engine(), { config, tensors: all });
      own.dispose();
      own.dispose();
      expect((await refusal(own.forward(ids))).code).toBe('DISPOSED');
      const other = await createAttention({ variant });
      const orphan = createModel(other, { config, tensors: all });
      other.dispose();
      expect((await refusal(orphan.embed(ids))).code).toBe('DISPOSED');
      orphan.dispose();
      await stillRight();
    });
  });
});
