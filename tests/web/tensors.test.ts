import { createAttention } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectAttention } from './against-oracle.ts';
import { expectClose } from './compare.ts';
import { attention } from './oracle/attention.ts';
import * as layers from './oracle/layers.ts';
import { fromHalf, halves } from './oracle/values.ts';
import { type Floats, type Plain, Random } from './random.ts';
import { float16Array } from './tensor-kinds.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(8);
const inputs = (S = 7, D = 8): [Plain, Plain, Plain] => [
  random.tensor([2, S, D]),
  random.tensor([2, S, D]),
  random.tensor([2, S, D]),
];

function shared(values: number[]): Float32Array {
  const array = new Float32Array(new SharedArrayBuffer(values.length * 4));
  array.set(values);
  return array;
}

forEachVariant('tensors', (engine) => {
  describe('what may be passed', () => {
    const values = [0.5, -1.25, 3, 1, 2, -4];
    const want = layers.softmax({ data: values, shape: [2, 3] });
    const softmaxOf = (x: unknown) => engine().softmax(x as Plain);
    test.each([
      ['shape', { data: Float32Array.from(values), shape: [2, 3] }],
      ['dims', { data: Float32Array.from(values), dims: [2, 3] }],
      [
        "an onnxruntime tensor's dims and type",
        { data: Float32Array.from(values), dims: [2, 3], type: 'float32', location: 'cpu' },
      ],
      ['shared memory', { data: shared(values), shape: [2, 3] }],
      ['Float64Array', { data: Float64Array.from(values), shape: [2, 3] }],
      ['float16 by dtype', { data: halves(values), shape: [2, 3], dtype: 'float16' }],
      ['float16 by type', { data: halves(values), dims: [2, 3], type: 'float16' }],
      [
        'a part of a larger buffer',
        { data: new Float32Array(Float32Array.from([9, ...values, 9]).buffer, 4, 6), shape: [2, 3] },
      ],
    ])('%s', (_, x) => expectClose(softmaxOf(x), want, 1e-6));
    test('Float16Array', () => expectClose(softmaxOf({ data: float16Array(values), shape: [2, 3] }), want, 1e-6));
    test('doubles are rounded to float32', () => {
      const x = { data: Float64Array.of(0.1, 1 / 3, 1e-50), shape: [3] };
      expect(Array.from(engine().add(x, { data: new Float32Array(1), shape: [1] }).data)).toEqual(
        [0.1, 1 / 3, 1e-50].map(Math.fround),
      );
    });
    test('every kind of half: subnormal, infinite, NaN, −0', () => {
      const data = Uint16Array.of(0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8000, 0x3555);
      const got = engine().add({ data, shape: [9], dtype: 'float16' }, { data: new Float32Array(1), shape: [1] });
      expect(Array.from(got.data, (x) => x + 0)).toEqual(Array.from(data, (bits) => fromHalf(bits) + 0));
    });
  });

  describe('results are copies', () => {
    test('owned by JavaScript, alone in their buffer, transferable', () => {
      const { output, weights, logSumExp } = engine().scaledDotProductAttention(...inputs(), {
        weights: true,
        logSumExp: true,
      });
      for (const array of [output, weights, logSumExp]) {
        expect(array.data).toBeInstanceOf(Float32Array);
        expect(array.data.buffer).toBeInstanceOf(ArrayBuffer);
        expect(array.data.byteOffset).toBe(0);
        expect(array.data.buffer.byteLength).toBe(array.data.byteLength);
        expect(array.dims).toEqual(array.shape);
        const copy = Array.from(array.data);
        const there = structuredClone(array.data, { transfer: [array.data.buffer] });
        expect(Array.from(there)).toEqual(copy);
        expect(array.data.length).toBe(0);
      }
    });
    test('nothing later changes them, not even the end of the engine', async () => {
      const own = await createAttention({ variant: engine().info.variant });
      const x = inputs();
      const result = own.scaledDotProductAttention(...x, { weights: true });
      const before = [result.output.data.slice(), result.weights.data.slice()];
      own.scaledDotProductAttention(...inputs(), { weights: true });
      own.zeros([1 << 20]);
      own.softmax(random.tensor([1000, 1000]));
      own.dispose();
      expect([result.output.data, result.weights.data]).toEqual(before);
      expectClose(result.output, attention(...x).output, 1e-5);
    });
    test('inputs are left as they are', () => {
      const x = inputs();
      const before = x.map((t) => Array.from(t.data as Float32Array));
      engine().scaledDotProductAttention(...x, { causal: true });
      engine().layerNorm(x[0]);
      expect(x.map((t) => Array.from(t.data as Float32Array))).toEqual(before);
    });
  });

  describe('out', () => {
    test('a Float32Array is written and comes back as the data', () => {
      const x = inputs();
      const out = new Float32Array(2 * 7 * 8).fill(NaN);
      const { output } = engine().scaledDotProductAttention(...x, { out });
      expect(output.data).toBe(out);
      expect(output.shape).toEqual([2, 7, 8]);
      expectClose({ data: out, shape: [2, 7, 8] }, attention(...x).output, 1e-5);
    });
    test('a Tensor is written and comes back itself', () => {
      const x = inputs();
      const out = engine().zeros([2, 7, 8]);
      const { output } = engine().scaledDotProductAttention(...x, { out });
      expect(output).toBe(out);
      expectClose(out, attention(...x).output, 1e-5);
      out.dispose();
    });
    test('a part of a larger array leaves the rest alone', () => {
      const whole = new Float32Array(10).fill(5);
      const x = random.tensor([6]);
      engine().softmax(x, { out: whole.subarray(2, 8) });
      expect([...whole.subarray(0, 2), ...whole.subarray(8)]).toEqual([5, 5, 5, 5]);
      expectClose({ data: whole.subarray(2, 8), shape: [6] }, layers.softmax(x), 1e-6);
    });
    test('every layer takes one', () => {
      const [x, square, row] = [random.tensor([4, 8]), random.tensor([8, 8]), random.tensor([8])];
      const out = new Float32Array(32);
      const results = [
        engine().softmax(x, { out }),
        engine().layerNorm(x, row, row, { out }),
        engine().linear(x, square, row, { out }),
        engine().gelu(x, { out }),
        engine().add(x, row, { out }),
        engine().feedForward(x, { up: square, down: square }, { out }),
        engine().embedding([0, 1, 2, 3], x, { out }),
        engine().selfAttention(x, { query: square, key: square, value: square }, { out }).output,
        engine().crossAttention(x, x, { query: square, key: square, value: square }, { out }).output,
      ];
      for (const result of results) {
        expect(result.data).toBe(out);
        expect(result.shape).toEqual([4, 8]);
      }
    });
    test('element-wise layers, norms and softmax may write onto x', () => {
      const row = random.tensor([8]);
      const inPlace: [string, (x: Plain, out?: never) => { data: ArrayLike<number>; shape: readonly number[] }][] = [
        ['gelu', (x, out) => engine().gelu(x, { out })],
        ['softmax', (x, out) => engine().softmax(x, { out })],
        ['layerNorm', (x, out) => engine().layerNorm(x, row, row, { out })],
        ['add', (x, out) => engine().add(x, row, { out })],
      ];
      for (const [name, call] of inPlace) {
        const x = random.tensor([4, 8]);
        const want = call(x);
        using tensor = engine().tensor(x);
        expect(call(tensor as never, tensor as never), name).toBe(tensor);
        expectClose(tensor, want, 0);
        const array = { ...x, data: x.data.slice() };
        call(array, array.data as never);
        expectClose(array, want, 0);
      }
    });
    test('any other overlap of arrays is refused too', () => {
      const memory = new Float32Array(96);
      const at = (from: number): Floats => ({
        data: memory.subarray(from, from + 64),
        shape: [8, 8],
      });
      const other = random.tensor([8, 8]);
      const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'options.out' });
      expect(() => engine().scaledDotProductAttention(at(0), other, other, { out: at(0).data })).toThrow(refused);
      expect(() => engine().gelu(at(0), { out: at(32).data })).toThrow(refused);
      expect(() =>
        engine().layerNorm(other, { data: memory.subarray(0, 8), shape: [8] }, null, {
          out: at(0).data,
        }),
      ).toThrow(refused);
    });
    test('any other overlap is refused', () => {
      using x = engine().tensor(random.tensor([2, 8, 8]));
      using other = engine().tensor(random.tensor([2, 8, 8]));
      for (const args of [
        [x, other, other],
        [other, x, other],
        [other, other, x],
      ] as const)
        expect(() => engine().scaledDotProductAttention(...args, { out: x })).toThrow(
          expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'options.out' }),
        );
      using square = engine().tensor(random.tensor([8, 8]));
      expect(() => engine().linear(square, random.tensor([8, 8]), null, { out: square })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'options.out' }),
      );
    });
  });

  describe('resident tensors', () => {
    test('give what plain arrays give, without being copied or changed', () => {
      const x = inputs();
      const [q, k, v] = x.map((t) => engine().tensor(t)) as unknown as [Plain, Plain, Plain];
      const want = engine().scaledDotProductAttention(...x, { causal: true }).output;
      expectClose(engine().scaledDotProductAttention(q, k, v, { causal: true }).output, want, 0);
      expectClose(engine().scaledDotProductAttention(q, x[1], v, { causal: true }).output, want, 0);
      expectAttention(engine(), [q, k, v], {}, { weights: true });
      expect(Array.from(q.data as Float32Array)).toEqual(Array.from(x[0].data as Float32Array));
    });
    test('of every element type', () => {
      const types = {
        float32: Float32Array,
        float16: Uint16Array,
        int8: Int8Array,
        int32: Int32Array,
        bool: Uint8Array,
      } as const;
      for (const [dtype, type] of Object.entries(types) as [keyof typeof types, (typeof types)[keyof typeof types]][]) {
        const zeros = engine().zeros([2, 3], dtype);
        expect(zeros.dtype).toBe(dtype);
        expect(zeros.data).toBeInstanceOf(type);
        expect(Array.from(zeros.data)).toEqual([0, 0, 0, 0, 0, 0]);
        const tensor = engine().tensor({ data: type.of(1, 0, 1, 1, 0, 1), shape: [2, 3], dtype } as Plain);
        expect([tensor.dtype, tensor.shape, tensor.dims]).toEqual([dtype, [2, 3], [2, 3]]);
        expect(Array.from(tensor.data)).toEqual([1, 0, 1, 1, 0, 1]);
      }
      expect(engine().zeros([2]).dtype).toBe('float32');
      expect(engine().tensor({ data: Float64Array.of(0.1), shape: [1] }).data).toEqual(Float32Array.of(0.1));
    });
    test('a bool tensor is a mask, an int32 one an attentionMask, a half one a key', () => {
      const [q, k, v] = inputs();
      const bits = Uint8Array.from({ length: 49 }, (_, n) => n % 3);
      const mask = engine().tensor({ data: bits, shape: [7, 7], dtype: 'bool' });
      expectClose(
        engine().scaledDotProductAttention(q, k, v, { mask }).output,
        attention(q, k, v, { mask: { data: bits, shape: [7, 7], dtype: 'bool' } }).output,
        1e-5,
      );
      const keys = Int32Array.of(1, 1, 0, 1, 0, 1, 1);
      const attentionMask = engine().tensor({ data: keys, shape: [1, 7] });
      expectClose(
        engine().scaledDotProductAttention(q, k, v, { attentionMask }).output,
        attention(q, k, v, { attentionMask: { data: keys, shape: [1, 7] } }).output,
        1e-5,
      );
      const half: Plain = { data: halves(k.data as Float32Array), shape: k.shape, dtype: 'float16' };
      expectClose(
        engine().scaledDotProductAttention(q, engine().tensor(half), v).output,
        attention(q, half, v).output,
        1e-5,
      );
    });
    test('what is written into data counts in the next call', () => {
      using x = engine().zeros([2, 4]);
      x.data.set([1, 2, 3, 4, 5, 6, 7, 8]);
      expectClose(engine().softmax(x), layers.softmax({ data: [1, 2, 3, 4, 5, 6, 7, 8], shape: [2, 4] }), 1e-6);
      x.data.fill(0);
      expect(Array.from(engine().softmax(x).data)).toEqual(Array(8).fill(0.25));
    });
    test('a result tensor feeds the next layer', () => {
      const x = random.tensor([4, 8]);
      using middle = engine().zeros([4, 8]);
      engine().gelu(x, { out: middle });
      expectClose(engine().softmax(middle), layers.softmax(layers.map(x, layers.gelu)), 1e-6);
    });
    test('a tensor is a copy of what it was made from', () => {
      const source = Float32Array.of(1, 2, 3);
      using x = engine().tensor({ data: source, shape: [3] });
      source.fill(9);
      expect(Array.from(x.data)).toEqual([1, 2, 3]);
    });
    test('no elements', () => {
      using x = engine().zeros([0, 4]);
      expect(x.data.length).toBe(0);
      expect(engine().softmax(x).shape).toEqual([0, 4]);
    });
  });
});
