import { AttentionError, createAttention, masks } from 'attention-wasm';
import { createModel, readSafetensors } from 'attention-wasm/models';
import { expect, test } from 'vitest';
import { Random } from './random.ts';
import { safetensors } from './safetensors-file.ts';
import { config, weights } from './synthetic-bert.ts';
import { allVariants, forEachVariant } from './variants.ts';
import { workSince } from './work.ts';

const any = (value: unknown) => value as never;
const x = new Random(3).tensor([4, 8]);

forEachVariant(
  'values that are not what they look like',
  (engine) => {
    const attend = (options: object) => engine().scaledDotProductAttention(x, x, x, options);
    test.each([
      ['a map as options', () => attend(new Map([['causal', true]])), 'INVALID_ARGUMENT', 'options'],
      ['a list as options', () => attend([]), 'INVALID_ARGUMENT', 'options'],
      ['a negative length', () => attend({ kvLengths: { length: -1 } }), 'INVALID_ARGUMENT', 'options.kvLengths'],
      ['an endless array', () => engine().embedding({ length: 2 ** 40 } as never, x), 'INVALID_ARGUMENT', 'ids'],
      ['a shape without end', () => engine().zeros({ length: 2 ** 40 } as never), 'INVALID_ARGUMENT', 'shape'],
      ['a shape of symbols', () => engine().zeros([Symbol()] as never), 'INVALID_ARGUMENT', 'shape'],
      ['a mask of null', () => attend({ mask: null }), 'INVALID_ARGUMENT', 'options.mask'],
      ['an attentionMask of null', () => attend({ attentionMask: null }), 'INVALID_ARGUMENT', 'options.attentionMask'],
      ['a scale beyond float32', () => attend({ scale: 1e300 }), 'INVALID_ARGUMENT', 'options.scale'],
      [
        'an array in name only',
        () => engine().gelu({ data: { [Symbol.toStringTag]: 'Float32Array', length: 2 } as never, shape: [2] }),
        'UNSUPPORTED_DTYPE',
        'x',
      ],
      [
        'more rows than memory',
        () => engine().embedding(new Int32Array(1e6), { data: new Float32Array(1e5), shape: [1, 1e5] }),
        'OUT_OF_MEMORY',
        undefined,
      ],
    ])('%s', (_, call, code, argument) => {
      let refusal: unknown;
      try {
        call();
      } catch (error) {
        refusal = error;
      }
      expect(refusal).toBeInstanceOf(AttentionError);
      expect(refusal).toMatchObject(argument ? { code, argument } : { code });
    });

    const long = (length: number) => any({ length });
    test.each([
      ['zeros', () => engine().zeros(long(1e8)), 'shape'],
      ['zeros of data', () => engine().zeros(any(new Float32Array(3e7))), 'shape'],
      ['a tensor', () => engine().tensor({ data: x.data, shape: long(1e8) }), 'data'],
      ['an input', () => engine().gelu({ data: x.data, dims: long(1e8) }), 'x'],
      ['kvLengths', () => attend({ kvLengths: long(2 ** 31 - 1) }), 'options.kvLengths'],
      ['offsets', () => attend({ queryOffset: long(2 ** 31 - 1) }), 'options.queryOffset'],
      [
        'offsets beside a rule',
        () => attend({ queryOffset: long(2 ** 31 - 1), mask: masks.causal() }),
        'options.queryOffset',
      ],
      ['a window', () => attend({ window: long(2 ** 31 - 1) }), 'options.window'],
      ['positions', () => engine().rotaryEmbedding(x, { positions: long(2 ** 31 - 1) }), 'options.positions'],
      ['ids', () => engine().embedding(long(2 ** 31 - 1), x), 'ids'],
      [
        'sequences',
        () => engine().variableLengthAttention(x, x, x, { cuSeqlensQ: long(2 ** 31 - 1), cuSeqlensKv: [0, 4] }),
        'options.cuSeqlensQ',
      ],
      ['a map of so many sizes', () => engine().attentionMap(x, x, { size: long(2 ** 31 - 1) }), 'options.size'],
      ['layers', () => engine().attentionRollout(long(2 ** 31 - 1)), /^layers/],
      ['keyPadding', () => masks.keyPadding(long(2 ** 31 - 1)), 'lengths'],
      ['prefixLM', () => masks.prefixLM(long(2 ** 31 - 1)), 'prefix'],
      ['documents', () => masks.documents(long(2 ** 31 - 1)), /^ids/],
      ['globalTokens', () => masks.globalTokens(long(2 ** 31 - 1)), 'indices'],
    ] as [string, () => unknown, string | RegExp][])(
      'a list that says it is very long is refused at once: %s',
      (_, call, argument) => {
        const began = process.cpuUsage();
        let refusal: unknown;
        try {
          call();
        } catch (error) {
          refusal = error;
        }
        const work = workSince(began);
        expect(refusal).toBeInstanceOf(AttentionError);
        const { code, argument: named = '' } = refusal as AttentionError;
        expect(code).toMatch(/^(INVALID_ARGUMENT|SHAPE_MISMATCH)$/);
        expect(named).toMatch(argument);
        expect(work).toBeLessThan(1000);
      },
    );

    test('rows whose attended scores are all -Infinity are not empty: NaN, also in logSumExp', () => {
      const one = { data: Float32Array.of(1), shape: [1, 1] };
      const k = { data: Float32Array.of(-Infinity), shape: [1, 1] };
      const { output, logSumExp } = engine().scaledDotProductAttention(one, k, one, { logSumExp: true });
      expect([output.data[0], logSumExp.data[0]]).toEqual([NaN, NaN]);
    });

    test('checkpoints with things that are no tensors', () => {
      for (const wrong of [null, 5, { data: new Float32Array(1) }]) {
        const tensors = { ...weights(), 'embeddings.word_embeddings.weight': wrong as never };
        expect(() => createModel(engine(), { config, tensors })).toThrow(AttentionError);
      }
    });

    test('a table of integers is refused when the model is made', () => {
      const all = weights();
      const name = 'embeddings.word_embeddings.weight';
      const { shape } = all[name] as (typeof all)[string];
      const table = { data: new Int32Array(shape.reduce((a, b) => a * b, 1)), shape };
      const make = () => createModel(engine(), { config, tensors: { ...all, [name]: table } });
      expect(make).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_DTYPE' }));
    });

    test('a signal that is none is refused by the model', async () => {
      const model = createModel(engine(), { config, tensors: weights() });
      const refusal = { code: 'INVALID_ARGUMENT', argument: 'options.signal' };
      await expect(model.forward([1, 2], { signal: 'no' as never })).rejects.toMatchObject(refusal);
      model.dispose();
    });
  },
  allVariants,
);

test('a bad signal beside a bad address rejects once and leaves no rejection behind', async () => {
  const late: unknown[] = [];
  const hear = (reason: unknown) => late.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const wrong = { signal: {} as AbortSignal, wasm: 'file:///nowhere.wasm' };
    await expect(createAttention(wrong)).rejects.toMatchObject({ argument: 'options.signal' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(late).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});

test('a safetensors header of 20 MB is read', () => {
  const bytes = safetensors({}, { note: 'n'.repeat(20 << 20) });
  expect(Object.keys(readSafetensors(bytes))).toEqual([]);
});
