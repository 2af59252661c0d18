import type { Attention } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import { createAttentionWorker } from 'attention-wasm/worker';
import { describe, expect, test } from 'vitest';
import { encoder } from './families.ts';
import { type Floats, Random } from './random.ts';
import { refusal } from './refusals.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(31);
/** Bits, and the float32 values that they stand for. */
function pair(...shape: number[]) {
  const floats = random.tensor(shape);
  const halves = Uint16Array.from(new Uint32Array(floats.data.buffer), (bits) => bits >>> 16);
  const data = Float32Array.from(halves, (half) => new Float32Array(Uint32Array.of(half << 16).buffer)[0] as number);
  return { bits: { data: halves, shape, dtype: 'bfloat16' as const }, floats: { data, shape } as Floats };
}
const [q, k, v] = [pair(2, 5, 8), pair(2, 7, 8), pair(2, 7, 3)];
const [x, weight, bias, table] = [pair(3, 16), pair(16, 16), pair(16), pair(10, 16)];
const [packed, out, mask] = [pair(48, 16), pair(16, 16), pair(4, 4)];

const calls: Record<string, (e: Attention, of: 'bits' | 'floats') => ArrayLike<number>> = {
  tensor: (e, of) => e.tensor(q[of]).data,
  'tensor widened': (e, of) => e.tensor(q[of], 'float32').data,
  scaledDotProductAttention: (e, of) =>
    e.scaledDotProductAttention(q[of], k[of], v[of], { weights: true }).weights.data,
  linear: (e, of) => e.linear(x[of], weight[of], bias[of]).data,
  linearWeight: (e, of) => e.linear(x[of], e.linearWeight(weight[of])).data,
  'linearWeight as int8': (e, of) => e.linear(x[of], e.linearWeight(weight[of], { dtype: 'int8' })).data,
  'embedding, rows of a table': (e, of) => e.embedding([3, 9, 3], table[of]).data,
  layerNorm: (e, of) => e.layerNorm(x[of], bias[of], bias[of]).data,
  'multiHeadAttention, split from one matrix': (e, of) =>
    e
      .multiHeadAttention(
        { embedDim: 16, numHeads: 2 },
        { in_proj_weight: packed[of], 'out_proj.weight': out[of], 'out_proj.bias': bias[of] },
      )
      .forward(x[of]).output.data,
  mask: (e, of) => e.scaledDotProductAttention(x.floats, x.floats, x.floats, { mask: pairMask[of] }).output.data,
};
const pairMask = pair(3, 3);

forEachVariant('bfloat16', (engine: () => Attention) => {
  test.each(Object.entries(calls))('is read as the float32 it stands for: %s', (_, call) => {
    expect(Array.from(call(engine(), 'bits'))).toEqual(Array.from(call(engine(), 'floats')));
  });
  test('as a mask of every layer of a model', async () => {
    const model = createModel(engine(), { config: encoder.config, tensors: encoder.tensors });
    const [got, want] = [
      await model.embed([3, 0, 28, 7], { mask: mask.bits }),
      await model.embed([3, 0, 28, 7], { mask: mask.floats }),
    ];
    expect(got.data).toEqual(want.data);
    expect(got.data).not.toEqual((await model.embed([3, 0, 28, 7])).data);
    model.dispose();
  });
  test('is a tensor of float32 where it stays', () => {
    const tensor = engine().tensor(q.bits);
    expect([tensor.dtype, tensor.shape]).toEqual(['float32', [2, 5, 8]]);
    tensor.dispose();
  });
  test('of other arrays is refused', () => {
    const data = new Int32Array(4);
    const error = refusal(() => engine().tensor({ data, shape: [4], dtype: 'bfloat16' }));
    expect([error.code, error.argument]).toEqual(['UNSUPPORTED_DTYPE', 'data']);
  });
});

describe('bfloat16 in a worker', () => {
  test('is read as the float32 it stands for', async () => {
    const worker = await createAttentionWorker();
    const tensor = await worker.tensor(q.bits);
    expect([tensor.dtype, (await tensor.read()).data]).toEqual(['float32', q.floats.data]);
    worker.dispose();
  });
});
