import {
  type Attention,
  AttentionError,
  at,
  createAttention,
  fromNested,
  type NdArray,
  row,
  toArray,
} from 'attention-wasm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromHalf, halves } from './oracle/values.ts';
import { type Plain, Random } from './random.ts';
import { any } from './wrong-calls.ts';

const random = new Random(14);
let engine: Attention;
beforeAll(async () => {
  engine = await createAttention();
});
afterAll(() => engine?.dispose());

/** 0, 1, 2, … in a shape. */
const counted = (...shape: number[]): NdArray => {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
  return { data, shape, dims: shape };
};

/** With what a call is refused. */
function refused(call: () => unknown): AttentionError {
  try {
    call();
  } catch (error) {
    if (error instanceof AttentionError) return error;
    throw error;
  }
  throw new Error('did not throw');
}

describe('toArray', () => {
  test('of every rank', () => {
    expect(toArray(counted())).toBe(0);
    expect(toArray(counted(3))).toEqual([0, 1, 2]);
    expect(toArray<number[][]>(counted(2, 3))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const deep = toArray<number[][][][]>(counted(2, 3, 4, 5));
    for (let a = 0; a < 2; a++)
      for (let b = 0; b < 3; b++)
        for (let c = 0; c < 4; c++)
          for (let d = 0; d < 5; d++) expect(deep[a]?.[b]?.[c]?.[d]).toBe(((a * 3 + b) * 4 + c) * 5 + d);
    expect([deep.length, deep[0]?.length, deep[0]?.[0]?.length, deep[0]?.[0]?.[0]?.length]).toEqual([2, 3, 4, 5]);
  });

  test('of nothing', () => {
    expect(toArray(counted(0))).toEqual([]);
    expect(toArray(counted(2, 0))).toEqual([[], []]);
    expect(toArray(counted(0, 2))).toEqual([]);
  });

  test('of every half, but that of a NaN', () => {
    const data = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    const got = toArray<number[]>({ data, shape: [2 ** 16], dtype: 'float16' });
    got.forEach((value, bits) => {
      expect(Object.is(value, fromHalf(bits))).toBe(true);
    });
  });

  test('of views, in the order of their indices', () => {
    const view = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2], strides: [1, 2] };
    expect(toArray(view)).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect([at(view, 0, 1), ...row(view, 1).data]).toEqual([3, 2, 4]);
  });

  test('of every element type, in arrays and in the engine', () => {
    const kinds: [Plain, number[]][] = [
      [{ data: Float64Array.of(0.1, -0), shape: [2] }, [0.1, -0]],
      [{ data: halves([1.5, -2]), shape: [2], dtype: 'float16' }, [1.5, -2]],
      [{ data: Uint16Array.of(0x3fc0, 0xc000), shape: [2], dtype: 'bfloat16' }, [1.5, -2]],
      [{ data: Int8Array.of(-128, 127), shape: [2] }, [-128, 127]],
      [{ data: Uint8Array.of(0, 255), shape: [2] }, [0, 255]],
      [{ data: Uint8Array.of(0, 1), shape: [2], dtype: 'bool' }, [0, 1]],
      [{ data: Int32Array.of(-(2 ** 31), 7), shape: [2] }, [-(2 ** 31), 7]],
      [{ data: BigInt64Array.of(-5n, 9n), shape: [2] }, [-5, 9]],
    ];
    for (const [tensor, want] of kinds) {
      expect(toArray(tensor)).toEqual(want);
      const { data, shape: dims, dtype: type = 'float32' } = tensor;
      if (dims && tensor.dtype) expect(toArray({ data, dims, type })).toEqual(want);
      using resident = engine.tensor(tensor);
      expect(toArray(resident)).toEqual(
        want.map((value) => (tensor.data instanceof Float64Array ? Math.fround(value) : value)),
      );
    }
    const large = BigInt64Array.of(2n ** 53n - 1n, -(2n ** 53n) + 1n);
    expect(toArray({ data: large, shape: [2] })).toEqual([2 ** 53 - 1, 1 - 2 ** 53]);
    const beyond = { data: BigInt64Array.of(1n, 2n ** 53n), shape: [2] };
    const error = refused(() => toArray(beyond));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'tensor']);
    expect(error.message).toContain('9007199254740992n');
    expect(at(beyond, 0)).toBe(1);
  });
});

describe('at and row', () => {
  test('are what toArray has at the same place', () => {
    const tensor = random.tensor([2, 3, 4, 5]);
    const nested = toArray<number[][][][]>(tensor);
    expect(at(tensor, 1, 2, 3, 4)).toBe(nested[1]?.[2]?.[3]?.[4]);
    expect(at(tensor, 0, 0, 0, 0)).toBe(nested[0]?.[0]?.[0]?.[0]);
    expect(toArray(row(tensor, 1))).toEqual(nested[1]);
    expect(toArray(row(tensor, 1, 2))).toEqual(nested[1]?.[2]);
    expect(toArray(row(tensor, 0, 2, 3))).toEqual(nested[0]?.[2]?.[3]);
    expect(at({ data: Float32Array.of(7), shape: [] })).toBe(7);
    expect(at({ data: halves([1, -0.5]), shape: [2], dtype: 'float16' }, 1)).toBe(-0.5);
  });

  test('a row is a view, of results, tensors and halves', () => {
    const result: NdArray = counted(2, 3);
    const part: NdArray = row(result, 1);
    expect(part).toEqual({ data: Float32Array.of(3, 4, 5), shape: [3], dims: [3], dtype: 'float32' });
    part.data[0] = 9;
    expect(result.data[3]).toBe(9);
    using tensor = engine.tensor(counted(2, 3));
    row(tensor, 1).data[2] = 7;
    expect(Array.from(tensor.data)).toEqual([0, 1, 2, 3, 4, 7]);
    const bits = halves([1, 2, 3, 4]);
    const half = row({ data: bits, shape: [2, 2], dtype: 'float16' }, 1);
    expect(half).toEqual({ data: bits.subarray(2), shape: [2], dims: [2], dtype: 'float16' });
    expect(Array.from(engine.add(half, { data: Float32Array.of(0), shape: [1] }).data)).toEqual([3, 4]);
    expect(row(counted(2, 0, 3), 1).shape).toEqual([0, 3]);
  });

  const x = counted(2, 3);
  const wrong: [string, () => unknown, string, RegExp][] = [
    ['an index beyond', () => at(x, 1, 3), 'index[1]', /got 3, wanted an integer from 0 to 2/],
    ['a negative index', () => at(x, -1, 0), 'index[0]', /got -1/],
    ['half an index', () => at(x, 0, 0.5), 'index[1]', /got 0.5/],
    ['an index of text', () => at(x, 0, any('1')), 'index[1]', /got '1'/],
    ['an index of NaN', () => row(x, NaN), 'index[0]', /got NaN/],
    ['too few', () => at(x, 1), 'index', /got a length of 1, wanted 2 for shape \[2,3\]/],
    ['too many', () => at(x, 1, 1, 0), 'index', /got a length of 3, wanted 2/],
    ['a row of no index', () => row(x), 'index', /got a length of 0, wanted 1 to 1/],
    ['a row of one value', () => row(x, 1, 1), 'index', /got a length of 2, wanted 1 to 1/],
    ['a row beyond', () => row(x, 2), 'index[0]', /got 2, wanted an integer from 0 to 1/],
    ['no tensor', () => toArray(any(undefined)), 'tensor', /got undefined/],
    ['nested arrays', () => toArray(any([[1]])), 'tensor', /got Array\(1\)/],
  ];
  test.each(wrong)('%s is refused', (_, call, argument, says) => {
    const error = refused(call);
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
    expect(error.message).toMatch(says);
  });

  test('of a shape that does not fit, an unknown type, and what is no more', () => {
    expect(refused(() => at({ data: new Float32Array(5), shape: [2, 3] }, 0, 0)).code).toBe('SHAPE_MISMATCH');
    expect(refused(() => row(any({ data: new Uint16Array(4), shape: [2, 2] }), 0)).code).toBe('UNSUPPORTED_DTYPE');
    const gone = engine.tensor(counted(2, 3));
    gone.dispose();
    for (const call of [() => toArray(gone), () => at(gone, 0, 0), () => row(gone, 0)]) {
      const error = refused(call);
      expect([error.code, error.argument]).toEqual(['DISPOSED', 'tensor']);
    }
  });
});

describe('fromNested', () => {
  test('is the inverse of toArray', () => {
    for (const shape of [[], [3], [2, 3], [2, 1, 4], [2, 3, 4, 5], [0], [2, 0]]) {
      const tensor = random.tensor(shape);
      const back = fromNested(toArray(tensor));
      expect(back).toEqual({ ...tensor, dims: shape, dtype: 'float32' });
    }
  });

  test('of other element types, and typed arrays as rows', () => {
    const ids = fromNested(
      [
        [1, 2 ** 31 - 1],
        [-(2 ** 31), 0],
      ],
      'int32',
    );
    expect(ids.data).toEqual(Int32Array.of(1, 2 ** 31 - 1, -(2 ** 31), 0));
    const mask = fromNested(
      [
        [true, false],
        [1, 0],
      ],
      'bool',
    );
    expect(mask).toEqual({ data: Uint8Array.of(1, 0, 1, 0), shape: [2, 2], dims: [2, 2], dtype: 'bool' });
    expect(fromNested([Float32Array.of(1, 2), [3, NaN], Int8Array.of(5, -6)]).data).toEqual(
      Float32Array.of(1, 2, 3, NaN, 5, -6),
    );
    const q = fromNested([
      [1, 0],
      [0, 1],
    ]);
    const { weights } = engine.scaledDotProductAttention(q, q, q, { mask, weights: true });
    expect(toArray(row(weights, 0, 0))).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  const endless: unknown[] = [];
  endless.push(endless);
  const wrong: [string, unknown, string | undefined, string, RegExp][] = [
    ['rows of other lengths', [[1, 2], [3]], undefined, 'nested[1]', /got 1 values, wanted 2/],
    ['longer rows', [[1], [2, 3]], undefined, 'nested[1]', /got 2 values, wanted 1/],
    ['rows where the first is empty', [[], [1]], undefined, 'nested[1]', /got 1 values, wanted 0/],
    ['a number among arrays', [[1, 2], 3], undefined, 'nested[1]', /got 3, wanted 2 values/],
    ['an array among numbers', [1, [2]], undefined, 'nested[1]', /got Array\(1\), wanted a number/],
    [
      'deep down',
      [
        [
          [1, 2],
          [3, 4],
        ],
        [[5, 6], [7]],
      ],
      undefined,
      'nested[1][1]',
      /got 1 values, wanted 2/,
    ],
    ['text', [['1', '2']], undefined, 'nested[0][0]', /got '1', wanted a number/],
    ['text for an array', 'abc', undefined, 'nested', /got 'abc', wanted a number/],
    ['undefined', [[1, undefined]], undefined, 'nested[0][1]', /got undefined/],
    ['nothing', undefined, undefined, 'nested', /got undefined/],
    ['null', [null], undefined, 'nested[0]', /got null/],
    ['a bigint', [1n], undefined, 'nested[0]', /got 1n/],
    ['a boolean as a number', [true], undefined, 'nested[0]', /got true, wanted a number/],
    ['a fraction as an integer', [[1, 0.5]], 'int32', 'nested[0][1]', /got 0.5, wanted an integer of 32 bits/],
    ['a large integer', [2 ** 31], 'int32', 'nested[0]', /got 2147483648/],
    ['NaN as an integer', [NaN], 'int32', 'nested[0]', /got NaN/],
    ['2 as a boolean', [2], 'bool', 'nested[0]', /got 2, wanted true, false, 1 or 0/],
    ['an unknown type', [1], 'float64', 'dtype', /got 'float64', wanted 'float32', 'int32', 'bool'/],
    ['an array in itself', endless, undefined, 'nested', /more than 8 levels/],
    ['a length alone', { length: 2 ** 31 - 1 }, undefined, 'nested[0]', /got undefined/],
  ];
  test.each(wrong)('%s is refused', (_, nested, type, argument, says) => {
    const error = refused(() => fromNested(any(nested), any(type)));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
    expect(error.message).toMatch(says);
  });
});
