import { AttentionError, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { wrongAttention } from './errors-attention.ts';
import { wrongCaches } from './errors-cache.ts';
import { wrongCalls } from './errors-calls.ts';
import { wrongForeign } from './errors-foreign.ts';
import { wrongFunctions } from './errors-functions.ts';
import { wrongLayers } from './errors-layers.ts';
import { wrongMasks } from './errors-masks.ts';
import { wrongMultiHead } from './errors-multi-head.ts';
import { wrongOptions } from './errors-options.ts';
import { wrongStored } from './errors-stored.ts';
import { wrongTransformers } from './errors-transformer.ts';
import { attention } from './oracle/attention.ts';
import { type Plain, Random } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(11);

/** The error of a call that must throw. */
function thrownBy(call: () => unknown): AttentionError {
  try {
    call();
  } catch (error) {
    if (error instanceof AttentionError) return error;
    throw new Error(`threw ${error}, wanted an AttentionError`, { cause: error });
  }
  throw new Error('did not throw');
}

forEachVariant('errors', (engine) => {
  const right: [Plain, Plain, Plain] = [random.tensor([2, 4, 8]), random.tensor([2, 6, 8]), random.tensor([2, 6, 8])];
  const want = attention(...right, { causal: true }).output;
  const stillRight = () =>
    expectClose(engine().scaledDotProductAttention(...right, { causal: true }).output, want, 1e-5);

  test('an AttentionError is an Error with a name', () => {
    const error = thrownBy(() => engine().softmax(undefined as never));
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('AttentionError');
    expect(error.stack).toContain('errors.test');
  });

  describe('wrong calls', () => {
    const functions = [
      ...wrongFunctions,
      ...wrongCalls,
      ...wrongMultiHead,
      ...wrongTransformers,
      ...wrongMasks,
      ...wrongCaches,
      ...wrongForeign,
    ];
    const wrong = [...wrongAttention, ...wrongStored, ...wrongOptions, ...wrongLayers, ...functions];
    test.each(wrong)('%s', (_, call, code, argument, ...says) => {
      const error = thrownBy(() => call(engine()));
      expect([error.code, error.message]).toEqual([code, error.message]);
      if (typeof argument === 'string') expect(error.argument).toBe(argument);
      else expect(error.argument ?? '').toMatch(argument);
      expect(error.message).toContain(error.argument);
      for (const word of says) {
        const plain = error.message.replace(/(\d), (?=-?\d)/g, '$1,'); // [2, 3] and [2,3] are one to a reader
        if (word instanceof RegExp) expect(plain).toMatch(word);
        else if (typeof word === 'number') expect(plain).toMatch(new RegExp(`(?<!\\d|\\d\\.)${word}(?!\\d|\\.\\d)`));
        else expect(plain).toContain(word);
      }
      stillRight();
    });
  });

  describe('options', () => {
    const sdpa = (options: object) => () => engine().scaledDotProductAttention(...right, options as never);
    test.each([
      ['casual', 'causal'],
      ['numHead', 'numHeads'],
      ['queryOfset', 'queryOffset'],
      ['attention_mask', 'attentionMask'],
      ['kvlengths', 'kvLengths'],
      ['Scale', 'scale'],
      ['softCap', 'softcap'],
      ['windows', 'window'],
      ['alibis', 'alibi'],
      ['sink', 'sinks'],
      ['masks', 'mask'],
      ['log_sum_exp', 'logSumExp'],
    ])('%s is unknown, %s is near', (unknown, near) => {
      const error = thrownBy(sdpa({ [unknown]: 1 }));
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', `options.${unknown}`]);
      expect(error.message).toContain(unknown);
      expect(error.message).toContain(near);
      stillRight();
    });
    test('unknown keys are refused by every function that takes options', () => {
      const x = random.tensor([4, 8]);
      const square = random.tensor([8, 8]);
      const calls: [string, (options: never) => unknown][] = [
        ['softmax', (o) => engine().softmax(x, o)],
        ['layerNorm', (o) => engine().layerNorm(x, null, null, o)],
        ['linear', (o) => engine().linear(x, square, null, o)],
        ['gelu', (o) => engine().gelu(x, o)],
        ['add', (o) => engine().add(x, x, o)],
        ['multiply', (o) => engine().multiply(x, x, o)],
        ['sigmoid', (o) => engine().sigmoid(x, o)],
        ['softplus', (o) => engine().softplus(x, o)],
        ['l2Normalize', (o) => engine().l2Normalize(x, o)],
        ['concat', (o) => engine().concat([x], o)],
        ['slice', (o) => engine().slice(x, o)],
        ['argmax', (o) => engine().argmax(x, o)],
        ['topK', (o) => engine().topK(x, 1, o)],
        ['feedForward', (o) => engine().feedForward(x, { up: square, down: square }, o)],
        ['embedding', (o) => engine().embedding([0], x, o)],
        ['sinusoidalPositions', (o) => engine().sinusoidalPositions(2, 4, o)],
        ['selfAttention', (o) => engine().selfAttention(x, { query: square, key: square, value: square }, o)],
        ['crossAttention', (o) => engine().crossAttention(x, x, { query: square, key: square, value: square }, o)],
      ];
      for (const [name, call] of calls) {
        const error = thrownBy(() => call({ nonsense: true } as never));
        expect([name, error.code, error.argument]).toEqual([name, 'INVALID_ARGUMENT', 'options.nonsense']);
      }
    });
    test('an option that is undefined is an option not given', () => {
      const nothing = {
        layout: undefined,
        numHeads: undefined,
        scale: undefined,
        causal: undefined,
        queryOffset: undefined,
        mask: undefined,
      };
      const more = {
        attentionMask: undefined,
        kvLengths: undefined,
        window: undefined,
        softcap: undefined,
        alibi: undefined,
        sinks: undefined,
        weights: undefined,
        logSumExp: undefined,
        out: undefined,
      };
      const plain = engine().scaledDotProductAttention(...right).output;
      expectClose(engine().scaledDotProductAttention(...right, { ...nothing, ...more } as never).output, plain, 0);
    });
  });

  test('what a rule of fromFunction throws passes through', () => {
    const own = new RangeError('of the rule');
    const mask = masks.fromFunction(() => {
      throw own;
    });
    expect(() => engine().scaledDotProductAttention(...right, { mask })).toThrow(own);
    stillRight();
  });

  test('a failed call leaves tensors as they were', () => {
    using x = engine().tensor(random.tensor([4, 8]));
    const before = Array.from(x.data);
    thrownBy(() => engine().linear(x, random.tensor([8, 7])));
    thrownBy(() => engine().scaledDotProductAttention(x, x, x, { mask: random.tensor([9, 9]) }));
    thrownBy(() => engine().embedding([5], x, { out: new Float32Array(8) }));
    expect(Array.from(x.data)).toEqual(before);
  });
});
