import { masks } from 'attention-wasm';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Plain, Random } from './random.ts';
import { forEachVariant } from './variants.ts';

/** Arrays of other libraries whose values do not lie in their data one after the other. */

const random = new Random(34);
const any = (value: unknown) => value as never;
const count = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

interface View {
  data: Plain['data'];
  shape: number[];
  strides: number[];
  offset: number;
}

/** The values in order, by the address of each. */
function inOrder({ data, shape, strides, offset }: View): (number | bigint)[] {
  return Array.from({ length: count(shape) }, (_, n) => {
    let [rest, at] = [n, offset];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % (shape[axis] as number)) * (strides[axis] as number);
      rest = Math.floor(rest / (shape[axis] as number));
    }
    return data[at] as number;
  });
}

const arrays = [Float32Array, Float64Array, Int32Array, Int8Array, Uint8Array, BigInt64Array];
const below = (n: number) => Math.floor(random.unit() * n);

/** Any strides, backwards and 0 too, over data that is as long as they need, or longer. */
function anyView(): View {
  const shape = Array.from({ length: below(5) }, () => below(5) + Number(random.unit() < 0.9));
  const strides = shape.map(() => below(15) - 6);
  const reach = (sign: number) =>
    shape.reduce((sum, n, axis) => sum + Math.max(0, sign * (n - 1) * (strides[axis] as number)), 0);
  const offset = reach(-1) + below(3);
  const length = offset + reach(1) + 1 + below(3);
  const values = Float32Array.from({ length }, (_, i) => ((i * 37) % 100) - 50);
  const type = arrays[below(arrays.length)] as typeof Float32Array;
  const data = (type as unknown) === BigInt64Array ? BigInt64Array.from(values, BigInt) : type.from(values);
  return { data, shape, strides, offset };
}

/** [S,D] as its transpose holds it, by the names of one library after the other. */
function transposed(tensor: Plain): Record<string, object> {
  const [rows, columns] = tensor.shape as [number, number];
  const values = tensor.data as Float32Array;
  const data = Float32Array.from({ length: rows * columns }, (_, i) => {
    return values[(i % rows) * columns + Math.floor(i / rows)] as number;
  });
  const shape = [rows, columns];
  const longer = Float32Array.from([9, 9, 9, ...data, 9]);
  return {
    'scijs ndarray': { data, shape, stride: [1, rows], offset: 0, dtype: 'float32', order: [0, 1] },
    'a view inside a longer array': { data: longer, shape, stride: [1, rows], offset: 3 },
    'a stdlib ndarray': { data, shape, strides: [1, rows], offset: 0, order: 'column-major', dtype: 'float32' },
    'a chunk of zarrita': { data, shape, stride: Int32Array.of(1, rows) },
    'vectorious and Pyodide': { data, shape, strides: [1, rows], f_contiguous: true },
    'npyjs of a Fortran file': { data, shape, fortranOrder: true, dtype: 'float32' },
    'a header of NumPy': { data, shape, fortran_order: true },
    'a method that gives strides': { data, dims: shape, type: 'float32', stride: () => [1, rows] },
  };
}

let there: AsyncAttention;
beforeAll(async () => {
  there = await createAttentionWorker({ threads: 1 });
});
afterAll(() => there?.dispose());

forEachVariant('views', (engine) => {
  const x = random.tensor([5, 8]);
  describe.each(Object.entries(transposed(x)))('%s', (_, view) => {
    test('is read by its strides', () => {
      using tensor = engine().tensor(any(view));
      expect([tensor.shape, [...tensor.data]]).toEqual([x.shape, [...x.data]]);
      expect(engine().scaledDotProductAttention(any(view), x, any(view))).toEqual(
        engine().scaledDotProductAttention(x, x, x),
      );
    });
    test('is read by its strides in a worker', async () => {
      const tensor = await there.tensor(any(view));
      expect(await tensor.read()).toEqual({ data: x.data, shape: x.shape, dims: x.shape });
      tensor.dispose();
    });
  });

  test('moves to a worker with its strides', async () => {
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const tensor = await there.tensor(any({ data, shape: [3, 2], strides: [-4, 1], offset: 9 }), { transfer: true });
    expect(data.length).toBe(0);
    expect([...(await tensor.read()).data]).toEqual([9, 10, 5, 6, 1, 2]);
    tensor.dispose();
  });

  test('any view of any element type', () => {
    for (let n = 0; n < 400; n++) {
      const view = anyView();
      using tensor = engine().tensor(any(view));
      expect(tensor.shape).toEqual(view.shape);
      expect([...tensor.data], JSON.stringify({ ...view, data: 0 })).toEqual(inOrder(view).map(Number));
    }
  });

  test('a part that lies in order is no copy, and may be written onto', () => {
    const data = Float32Array.from({ length: 12 }, (_, i) => i - 6);
    const view = { data, shape: [2, 3], strides: [3, 1], offset: 4 };
    const want = engine().relu({ data: data.slice(4, 10), shape: [2, 3] }).data;
    engine().relu(any(view), { out: data.subarray(4, 10) });
    expect([...data]).toEqual([-6, -5, -4, -3, ...want, 4, 5]);
    expect(() => engine().relu(any(view), { out: data.subarray(0, 6) })).toThrow(
      expect.objectContaining({ argument: 'options.out' }),
    );
  });

  test('masks, weights, ids and scalars are read so too', () => {
    const [S, bits] = [5, Uint8Array.from({ length: 25 }, (_, i) => Number(i % 3 > 0))];
    const byRow = Uint8Array.from(bits, (_, i) => bits[(i % S) * S + Math.floor(i / S)] as number);
    const plain = { data: bits, shape: [S, S], dtype: 'bool' as const };
    const view = { data: byRow, shape: [S, S], strides: [1, S], dtype: 'bool' as const };
    const want = engine().scaledDotProductAttention(x, x, x, { mask: plain }).output;
    expect(engine().scaledDotProductAttention(x, x, x, { mask: view }).output).toEqual(want);
    expect(engine().scaledDotProductAttention(x, x, x, { mask: masks.dense(view) }).output).toEqual(want);
    const ids = { data: Int32Array.of(4, 0, 3, 0, 2, 0), shape: [3], strides: [-2], offset: 4 };
    expect(engine().embedding(ids, x)).toEqual(engine().embedding([2, 3, 4], x));
    using scalar = engine().tensor(any({ data: Float32Array.of(1, 2, 3), shape: [], strides: [0], offset: 1 }));
    expect([scalar.shape, ...scalar.data]).toEqual([[], 2]);
  });

  test('what says that there is no stride is read as before', () => {
    const data = x.data as Float32Array;
    for (const none of [
      {},
      { strides: undefined, offset: 0 },
      { stride: null, offset: null },
      { fortranOrder: false },
    ]) {
      expect(engine().softmax(any({ data, shape: [5, 8], ...none }))).toEqual(engine().softmax(x));
    }
  });
});
