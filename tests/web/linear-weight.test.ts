import { createAttention, type LinearWeight, type TensorLike } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { Random, seed } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(seed);
const sizes = [
  [1, 1, 1],
  [3, 5, 7],
  [5, 8, 16],
  [14, 384, 33],
  [97, 385, 9],
  [0, 4, 4],
  [4, 0, 4],
  [4, 4, 0],
] as const;

forEachVariant('weights packed for linear layers', (engine) => {
  const packed = (weight: TensorLike) => engine().linearWeight(weight);

  test.each(sizes)('linear of %i rows, %i → %i, gives the same bits', (rows, inputs, outputs) => {
    const [x, weight, bias] = [
      random.tensor([rows, inputs]),
      random.tensor([outputs, inputs]),
      random.tensor([outputs]),
    ];
    using panels = packed(weight);
    expect(panels.shape).toEqual([outputs, inputs]);
    expect(panels.dims).toEqual([outputs, inputs]);
    for (const added of [bias, undefined]) {
      expect(engine().linear(x, panels, added)).toEqual(engine().linear(x, weight, added));
    }
  });

  test.each(['relu', 'gelu', 'gelu_tanh', 'silu'] as const)('feed-forward with %s, gated or not', (activation) => {
    const x = random.tensor([7, 20]);
    const [up, gate, down] = [random.tensor([35, 20]), random.tensor([35, 20]), random.tensor([20, 35])];
    const biases = { upBias: random.tensor([35]), downBias: random.tensor([20]) };
    for (const gated of [false, true]) {
      const plain = { up, down, ...biases, ...(gated ? { gate } : {}) };
      const panels = { ...plain, up: packed(up), down: packed(down), ...(gated ? { gate: packed(gate) } : {}) };
      const expected = engine().feedForward(x, plain, { activation });
      expect(engine().feedForward(x, panels, { activation })).toEqual(expected);
    }
  });

  test('self- and cross-attention', () => {
    const [x, context] = [random.tensor([2, 5, 12]), random.tensor([2, 9, 10])];
    const weights = (columns: number) => ({
      query: random.tensor([12, 12]),
      key: random.tensor([12, columns]),
      value: random.tensor([12, columns]),
      output: random.tensor([12, 12]),
    });
    const panels = (given: ReturnType<typeof weights>) =>
      Object.fromEntries(Object.entries(given).map(([name, weight]) => [name, packed(weight)])) as Record<
        keyof typeof given,
        LinearWeight
      >;
    const [own, other] = [weights(12), weights(10)];
    const options = { numHeads: 3 };
    expect(engine().selfAttention(x, panels(own), options)).toEqual(engine().selfAttention(x, own, options));
    expect(engine().crossAttention(x, context, panels(other), options)).toEqual(
      engine().crossAttention(x, context, other, options),
    );
  });

  test('float16 and float64 weights are widened or rounded first', () => {
    const x = random.tensor([3, 4]);
    const halves = {
      data: Uint16Array.from({ length: 8 }, (_, i) => 0x3c00 + i),
      shape: [2, 4],
      dtype: 'float16',
    } as const;
    const doubles = { data: Float64Array.from({ length: 8 }, (_, i) => 1 / (i + 3)), shape: [2, 4] };
    for (const weight of [halves, doubles]) {
      using panels = packed(weight);
      expect(engine().linear(x, panels)).toEqual(engine().linear(x, weight));
    }
  });

  test('gives its memory back', () => {
    const weight = random.tensor([1024, 1024]);
    packed(weight).dispose();
    const before = engine().info.memoryBytes;
    for (let i = 0; i < 20; i++) {
      const panels = packed(weight);
      expect(panels.byteLength).toBe(4 * 1024 * 1024);
      panels.dispose();
      panels.dispose();
    }
    expect(engine().info.memoryBytes).toBe(before);
  });

  test('may come from a view of the engine, also where that makes memory grow', () => {
    const own = engine().tensor(random.tensor([512, 512]));
    const expected = engine().linear(random.tensor([1, 512]), own).shape;
    const held = Array.from({ length: 12 }, () => packed({ data: own.data, shape: [512, 512] }));
    for (const panels of held) {
      expect(engine().linear(random.tensor([1, 512]), panels).shape).toEqual(expected);
      panels.dispose();
    }
    own.dispose();
  });

  describe('is refused', () => {
    const refusal = (code: string, argument: string) => expect.objectContaining({ code, argument });

    test('where it does not fit, after dispose and by another engine', async () => {
      const x = random.tensor([3, 4]);
      const panels = packed(random.tensor([2, 5]));
      expect(() => engine().linear(x, panels)).toThrow(refusal('SHAPE_MISMATCH', 'weight'));
      const fits = packed(random.tensor([2, 4]));
      const other = await createAttention();
      expect(() => other.linear(x, fits)).toThrow(refusal('INVALID_ARGUMENT', 'weight'));
      other.dispose();
      fits.dispose();
      expect(() => engine().linear(x, fits)).toThrow(refusal('DISPOSED', 'weight'));
    });

    test('where no linear weight is wanted', () => {
      const [up, down] = [random.tensor([6, 4]), random.tensor([4, 6])];
      const panels = packed(random.tensor([6, 4]));
      const notATensor = panels as unknown as ReturnType<typeof random.tensor>;
      expect(() => engine().gelu(notATensor)).toThrow(refusal('INVALID_ARGUMENT', 'x'));
      const weights = { up, down, upBias: notATensor };
      expect(() => engine().feedForward(random.tensor([3, 4]), weights)).toThrow(
        refusal('UNSUPPORTED_DTYPE', 'weights.upBias'),
      );
    });

    test('what is not a matrix of floats', () => {
      expect(() => packed(random.tensor([4]))).toThrow(refusal('SHAPE_MISMATCH', 'weight'));
      expect(() => packed(random.tensor([2, 2, 2]))).toThrow(refusal('SHAPE_MISMATCH', 'weight'));
      const integers = { data: new Int32Array(4), shape: [2, 2] };
      expect(() => packed(integers)).toThrow(refusal('UNSUPPORTED_DTYPE', 'weight'));
      expect(() => packed(undefined as never)).toThrow(refusal('INVALID_ARGUMENT', 'weight'));
    });
  });
});
