import { runInNewContext } from 'node:vm';
import { type Attention, AttentionError, createAttention, type NdArray } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { decoders } from './families.ts';
import { attention as oracle } from './oracle/attention.ts';
import { Random } from './random.ts';
import * as ofVit from './synthetic-vit.ts';
import { forEachVariant } from './variants.ts';

const x = new Random(3).tensor([4, 8]);
const right = oracle(x, x, x).output;
const any = (value: unknown) => value as never;

/** Throws what a call threw unless that is an AttentionError, and then that the engine gives wrong numbers. */
function survives(engine: Attention, call: () => unknown): AttentionError | undefined {
  let refusal: AttentionError | undefined;
  try {
    call();
  } catch (error) {
    if (!(error instanceof AttentionError)) throw error;
    refusal = error;
  }
  expectClose(engine.scaledDotProductAttention(x, x, x).output, right, 1e-5);
  return refusal;
}

forEachVariant('arrays that lie', (engine) => {
  /** Says it is two long, and gives many when it is walked through. */
  const walked = (numbers: number[], value: number) =>
    Object.assign(numbers, {
      *[Symbol.iterator]() {
        yield* Array(100_000).fill(value);
      },
    });
  /** Two long when asked first, then longer. */
  const growing = (value: number) => {
    let asked = 0;
    return any(
      new Proxy([value, value], { get: (list, key) => (key === 'length' && ++asked > 1 ? 1e5 : list[key as never]) }),
    );
  };
  class Short extends Int8Array {
    override get length() {
      return 16;
    }
  }

  test('by their iterators', () => {
    const map = (options: object) => engine().attentionMap(x, x, options);
    for (const name of ['rows', 'columns', 'size'])
      expect(survives(engine(), () => map({ [name]: walked([0 + Number(name === 'size'), 2], 7) }))).toBe(undefined);
    for (const count of [8, 9, 200]) {
      const shape = Object.assign([4, 8], {
        *[Symbol.iterator]() {
          yield* Array(count).fill(2);
        },
      });
      expect(survives(engine(), () => engine().gelu({ data: x.data, shape }))).toBe(undefined);
    }
  });

  test('by lengths that change', () => {
    const window = survives(engine(), () => engine().scaledDotProductAttention(x, x, x, { window: growing(1) }));
    expect(window?.argument).toBe('options.window');
    survives(engine(), () => engine().attentionMap(x, x, { size: growing(2) }));
    survives(engine(), () => engine().gelu({ data: new Float32Array(4), shape: growing(2) }));
    survives(engine(), () => engine().zeros(growing(2)).dispose());
  });

  test('by a length of their own', () => {
    const others = Array.from({ length: 20 }, (_, n) =>
      engine().tensor({ data: new Float32Array(4).fill(n), shape: [4] }),
    );
    const refusal = survives(engine(), () => engine().tensor({ data: new Short(300_000), shape: [16] }));
    expect(refusal).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'data' });
    others.forEach((tensor, n) => {
      expect([...tensor.data]).toEqual(Array(4).fill(n));
      tensor.dispose();
    });
  });

  test('by their names', () => {
    const named = Object.defineProperty(new Float32Array(64), Symbol.toStringTag, { value: 'Int8Array' });
    const tensor = engine().tensor({ data: named, shape: [64] });
    expect(tensor.dtype).toBe('float32');
    tensor.dispose();
  });

  test('by what they do when written to', () => {
    class Calls extends Float32Array {
      override set(from: ArrayLike<number>): void {
        engine().gelu(x);
        super.set(from);
      }
    }
    const out = new Calls(32);
    const got = engine().scaledDotProductAttention(x, x, x, { out, logSumExp: true });
    expect(got.output.data).toBe(out);
    expectClose(got.output, right, 1e-5);
    expectClose(got.logSumExp as NdArray, oracle(x, x, x).logSumExp, 1e-5);
    const faked = Object.create(Float32Array.prototype);
    expect(() => engine().gelu(x, { out: faked })).toThrow(expect.objectContaining({ argument: 'options.out' }));
  });

  test('by their constructors', () => {
    class Throws extends Float32Array {
      static get [Symbol.species]() {
        return class {
          constructor() {
            throw new TypeError('not me');
          }
        } as never;
      }
    }
    const table = { data: Throws.from(x.data), shape: [4, 8] };
    expect(engine().embedding([1], table).data).toEqual(x.data.slice(8, 16));
  });

  test('by getters that dispose what the call is of', () => {
    const cache = engine().kvCache({ numKvHeads: 1, headDim: 8, capacity: 9 });
    class Disposes extends Uint8Array {
      override get length() {
        cache.dispose();
        return super.length;
      }
    }
    survives(engine(), () => cache.load(new Disposes(100)));
    cache.dispose();
  });

  test('of another realm are what they are', () => {
    const mask = { data: runInNewContext('Float64Array.of(-1e300, -1e300, -1e300, -1e300)'), shape: [4] };
    const { weights } = engine().scaledDotProductAttention(x, x, x, { mask, weights: true });
    const out = runInNewContext('new Float32Array(32)');
    const { output } = engine().scaledDotProductAttention(x, x, x, { out });
    expect(output.data).toBe(out);
    expectClose(output, right, 1e-5);
    expect([...weights.data]).toEqual(Array(16).fill(0.25));
  });

  test('whose memory was taken away are empty', () => {
    const taken = new Float32Array(4);
    structuredClone(taken.buffer, { transfer: [taken.buffer] });
    const code = (call: () => unknown) => survives(engine(), call)?.code;
    expect(code(() => engine().gelu({ data: taken, shape: [4] }))).toBe('SHAPE_MISMATCH');
    expect(code(() => engine().gelu({ data: taken, shape: [0] }))).toBe(undefined);
    expect(code(() => engine().gelu(x, { out: taken }))).toBe('SHAPE_MISMATCH');
    const cache = engine().kvCache({ numKvHeads: 1, headDim: 8, capacity: 9 });
    expect(code(() => cache.load(any(Object.create(Uint8Array.prototype))))).toBe('INVALID_ARGUMENT');
    cache.dispose();
  });
});

forEachVariant('tensors of an engine as data', (engine) => {
  test('are copied', () => {
    for (const data of [Float32Array.of(1, 2, 3), Int8Array.of(1, 2, 3), Int32Array.of(1, 2, 3)]) {
      const tensor = engine().tensor({ data, shape: [3] });
      const copy = engine().tensor(tensor);
      tensor.dispose();
      expect([copy.dtype, ...copy.data]).toEqual([tensor.dtype, 1, 2, 3]);
      copy.dispose();
      expect(() => engine().tensor(tensor)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    }
  });

  const families = [
    ...decoders.map(({ name, config, tensors }) => ({ name, config, tensors, input: [3, 0, 28, 7] as unknown })),
    { name: 'ViT', config: ofVit.config, tensors: ofVit.weights(), input: ofVit.picture(1) },
  ];
  describe.each(families)('$name', ({ config, tensors, input }) => {
    test('computes the same from them', async () => {
      const resident = Object.fromEntries(Object.entries(tensors).map(([name, one]) => [name, engine().tensor(one)]));
      const [plain, held] = [
        createModel(engine(), any({ config, tensors })),
        createModel(engine(), any({ config, tensors: resident })),
      ];
      for (const tensor of Object.values(resident)) tensor.dispose();
      const [want, got] = [await plain.forward(any(input)), await held.forward(any(input))];
      expect(got.lastHiddenState).toEqual(want.lastHiddenState);
      plain.dispose();
      held.dispose();
    });
  });
});

test('tensors of another engine are refused as weights', async () => {
  const [one, other] = [await createAttention(), await createAttention()];
  for (const { config, tensors } of [...decoders, { config: ofVit.config, tensors: ofVit.weights() }]) {
    const foreign = Object.fromEntries(Object.entries(tensors).map(([name, given]) => [name, other.tensor(given)]));
    expect(() => createModel(one, any({ config, tensors: foreign }))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  }
  one.dispose();
  other.dispose();
});
