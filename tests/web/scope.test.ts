import { type Attention, createAttention, type ScopedAttention } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { Random, seed } from './random.ts';
import { forEachVariant, load } from './variants.ts';

const random = new Random(seed);
const refusal = (code: string, argument?: string) => expect.objectContaining({ code, ...(argument && { argument }) });

forEachVariant(`scope, seed ${seed}`, (engine, variant) => {
  const [x, weight] = [random.tensor([6, 16]), random.tensor([16, 16])];
  /** A layer made by hand. */
  const layer = (a: Attention | ScopedAttention) => {
    const own = a as ScopedAttention;
    const h = own.layerNorm(x);
    const [q, k, v] = [own.linear(h, weight), own.linear(h, weight), own.linear(h, weight)];
    const { output, weights } = own.scaledDotProductAttention(q, k, v, { numHeads: 4, causal: true, weights: true });
    const y = own.add(x, own.linear(output, weight));
    return { output: own.add(y, own.feedForward(y, { up: weight, down: weight })), weights };
  };

  test('what is computed in a scope has the bits of what is computed outside', () => {
    const [inside, outside] = [engine().scope(layer), layer(engine())];
    expect(inside.output).toEqual({ ...outside.output, shape: [6, 16], dims: [6, 16] });
    expect(inside.weights).toEqual(outside.weights);
  });
  test('results inside are tensors of the engine, and they are gone afterwards', () => {
    const tensors: { dispose(): void; data: unknown; dtype: string }[] = [];
    engine().scope((a) => {
      const [gelu, { output, weights, logSumExp }] = [
        a.gelu(x),
        a.scaledDotProductAttention(x, x, x, { weights: true, logSumExp: true }),
      ];
      tensors.push(
        gelu,
        output,
        weights,
        logSumExp,
        a.attentionMap(x, x),
        a.concat([x, x], { axis: 0 }),
        a.cosineSimilarity(x, x),
      );
      for (const tensor of tensors) expect(tensor.dtype).toBe('float32');
    });
    for (const tensor of tensors) expect(() => tensor.data).toThrow(refusal('DISPOSED'));
  });
  test('memory does not grow from scope to scope, nor when one throws', async () => {
    const own = await createAttention(load(variant));
    const large = random.tensor([200, 1000]);
    const run = () => {
      own.scope((a) => a.silu(a.silu(a.silu(large))));
      expect(() =>
        own.scope((a) => {
          a.silu(large);
          throw new RangeError('mine');
        }),
      ).toThrow('mine');
    };
    for (let n = 0; n < 3; n++) run();
    const settled = own.info.memoryBytes;
    for (let n = 0; n < 30; n++) run();
    expect(own.info.memoryBytes).toBe(settled);
    own.dispose();
  });
  test('results that make memory grow while others are read', async () => {
    const own = await createAttention(load(variant));
    const q = random.tensor([2, 300, 8]);
    const outside = engine().scaledDotProductAttention(q, q, q, { weights: true, logSumExp: true });
    const inside = own.scope((a) => {
      const results = Array.from({ length: 12 }, () =>
        a.scaledDotProductAttention(q, q, q, { weights: true, logSumExp: true }),
      );
      return results.at(-1) as (typeof results)[0];
    });
    expect(inside).toEqual(outside);
    own.dispose();
  });
  test('what comes back: tensors in arrays and plain objects are copied, all else is as it was', () => {
    class Mine {
      own = 1;
    }
    const mine = new Mine();
    using kept = engine().tensor(x);
    using bytes = engine().tensor({ data: Int8Array.of(1), shape: [1] });
    const got = engine().scope((a) => ({
      list: [a.relu(x), [a.tanh(x)]],
      mine,
      text: 'a',
      none: null,
      kept,
      bytes,
      nested: { y: a.sigmoid(x) },
    }));
    expect(got.list[0]).toEqual(engine().relu(x));
    expect((got.list[1] as unknown[])[0]).toEqual(engine().tanh(x));
    expect(got.nested.y).toEqual(engine().sigmoid(x));
    expect(got.kept).toEqual({ data: x.data, shape: x.shape, dims: x.shape });
    expect([got.mine, got.text, got.none, got.bytes]).toEqual([mine, 'a', null, bytes]);
    expect(engine().scope(() => undefined)).toBe(undefined);
  });
  test('out is obeyed in a scope; the engine itself gives arrays there', () => {
    using out = engine().zeros([6, 16]);
    engine().scope((a) => {
      expect(a.add(x, x, { out })).toBe(out);
      const array = new Float32Array(96);
      expect(a.gelu(x, { out: array }).data).toBe(array);
      expect(engine().relu(a.relu(x)).data).toBeInstanceOf(Float32Array);
      expect('dispose' in engine().relu(x)).toBe(false);
    });
    expectClose(out, engine().add(x, x), 0);
  });
  test('a scope in a scope', () => {
    const got = engine().scope((a) => {
      const h = a.relu(x);
      const inner = engine().scope((b) => b.add(h, h));
      return a.add(h, inner);
    });
    const relu = engine().relu(x);
    expectClose(got, engine().add(relu, engine().add(relu, relu)), 0);
  });

  describe('refusals', () => {
    test('work that is no function, or that is asynchronous', () => {
      for (const wrong of [undefined, null, 3, {}] as never[])
        expect(() => engine().scope(wrong)).toThrow(refusal('INVALID_ARGUMENT', 'work'));
      expect(() => engine().scope(async (a) => a.relu(x))).toThrow(refusal('INVALID_ARGUMENT', 'work'));
    });
    test('functions that outlive their scope', () => {
      let outlived: ScopedAttention | undefined;
      engine().scope((a) => {
        outlived = a;
      });
      expect(() => outlived?.relu(x)).toThrow(refusal('DISPOSED'));
    });
    test('what fails inside leaves the engine as it was', () => {
      expect(() => engine().scope((a) => a.linear(a.relu(x), random.tensor([3, 3])))).toThrow(
        refusal('SHAPE_MISMATCH', 'weight'),
      );
      expectClose(
        engine().scope((a) => a.relu(x)),
        engine().relu(x),
        0,
      );
    });
    test('an engine that is disposed inside', async () => {
      const own = await createAttention(load(variant));
      expect(() =>
        own.scope((a) => {
          const h = a.relu(x);
          own.dispose();
          return h;
        }),
      ).toThrow(refusal('DISPOSED'));
    });
  });
});
