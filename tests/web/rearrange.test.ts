import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { type Exact, type Numbers, valuesOf } from './oracle/values.ts';
import { Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);

/** Element by element: where each index of the result comes from. */
function joined(tensors: readonly Numbers[], axis: number): Exact {
  const first = tensors[0] as Numbers;
  const at = axis < 0 ? axis + first.shape.length : axis;
  const shape = first.shape.map((size, i) =>
    i === at ? tensors.reduce((sum, t) => sum + (t.shape[i] as number), 0) : size,
  );
  const inner = count(shape.slice(at + 1));
  const data = new Float64Array(count(shape));
  for (let flat = 0; flat < data.length; flat++) {
    let index = Math.floor(flat / inner) % (shape[at] as number);
    const outer = Math.floor(flat / inner / (shape[at] as number));
    for (const tensor of tensors) {
      const size = tensor.shape[at] as number;
      if (index < size) {
        data[flat] = valuesOf(tensor)[(outer * size + index) * inner + (flat % inner)] as number;
        break;
      }
      index -= size;
    }
  }
  return { data, shape };
}

forEachVariant(`concat and slice, seed ${seed}`, (engine) => {
  const sized = (shape: readonly number[], axis: number, size: number) => shape.map((n, i) => (i === axis ? size : n));

  describe('concat', () => {
    test.each([0, 1, 2, -1, -2, -3])('along axis %i', (axis) => {
      const shape = [2, 3, 4];
      const tensors = [1, 5, 0, 2].map((size) => random.tensor(sized(shape, axis < 0 ? axis + 3 : axis, size)));
      expectClose(engine().concat(tensors, { axis }), joined(tensors, axis), 0);
    });
    test('of one tensor, of more than one call takes, and of many more', () => {
      for (const length of [1, 11, 12, 130]) {
        const tensors = Array.from({ length }, (_, i) => random.tensor([2, 1 + (i % 3)]));
        expectClose(engine().concat(tensors, { axis: 1 }), joined(tensors, 1), 0);
      }
    });
    test('of halves, doubles and resident tensors', () => {
      const half = { data: Uint16Array.of(0x3c00, 0xc000), shape: [2], dtype: 'float16' as const };
      const double = { data: Float64Array.of(0.5, 3), shape: [2] };
      using resident = engine().tensor(random.tensor([3]));
      const want = [1, -2, 0.5, 3, ...resident.data];
      expect(Array.from(engine().concat([half, double, resident], { axis: 0 }).data)).toEqual(want);
    });
    test('into a tensor', () => {
      const tensors = [random.tensor([2, 3]), random.tensor([2, 2])];
      using out = engine().zeros([2, 5]);
      expect(engine().concat(tensors, { axis: 1, out })).toBe(out);
      expectClose(out, joined(tensors, 1), 0);
    });
  });

  describe('slice', () => {
    test.each([
      [0, 1, 3],
      [1, 0, 2],
      [2, 2, 4],
      [-1, -3, -1],
      [0, -4, 0],
      [1, 3, undefined],
      [2, undefined, 2],
      [2, undefined, undefined],
    ])('axis %i from %s to %s', (axis, start, end) => {
      const x = random.tensor([4, 5, 6]);
      const at = axis < 0 ? axis + 3 : axis;
      const range = Array.from({ length: x.shape[at] as number }, (_, i) => i).slice(start, end);
      const got = engine().slice(x, { axis, ...(start !== undefined && { start }), ...(end !== undefined && { end }) });
      const inner = count(x.shape.slice(at + 1));
      const shape = sized(x.shape, at, range.length);
      const data = Float64Array.from({ length: count(shape) }, (_, flat) => {
        const index = range[Math.floor(flat / inner) % Math.max(1, range.length)] as number;
        const outer = Math.floor(flat / inner / Math.max(1, range.length));
        return x.data[(outer * (x.shape[at] as number) + index) * inner + (flat % inner)] as number;
      });
      expectClose(got, { data, shape }, 0);
    });
    test('slices put together are the whole', () => {
      const x = random.tensor([3, 7, 2]);
      const cut = [0, 2, 3, 7]
        .slice(1)
        .map((end, i) => engine().slice(x, { axis: 1, start: [0, 2, 3][i] as number, end }));
      expectClose(engine().concat(cut, { axis: 1 }), x, 0);
    });
  });
});
