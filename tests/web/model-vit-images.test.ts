import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from './random.ts';
import { refusedModel, rejection } from './refusals.ts';
import { config, weights } from './synthetic-vit.ts';
import { forEachVariant } from './variants.ts';

const all = weights();
const [size, random] = [12, new Random(8)];
const data = Uint8ClampedArray.from({ length: 4 * size * size }, () => random.integer(0, 255));
const image = { data, width: size, height: size, colorSpace: 'srgb' };
/** The same as floats [1,3,12,12]: ((byte / 255) − 0.5) / 0.5. */
const floats = {
  data: Float32Array.from({ length: 3 * size * size }, (_, at) => {
    const [channel, pixel] = [Math.floor(at / size ** 2), at % size ** 2];
    return ((data[4 * pixel + channel] as number) / 255 - 0.5) / 0.5;
  }),
  shape: [1, 3, size, size],
};
/** As ImageData has them: behind getters. */
class OfCanvas {
  get data() {
    return data;
  }
  get width() {
    return size;
  }
  get height() {
    return size;
  }
}

forEachVariant('pixels of a ViT', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config, tensors: all });
  });
  afterAll(() => model?.dispose());

  test.each([
    ['an ImageData', image],
    ['one with getters', new OfCanvas()],
    ['its data', data],
    ['a view of them', new Uint8ClampedArray(Uint8ClampedArray.of(1, 2, 3, ...data).buffer, 3)],
  ])('are those of %s', async (_, given) => {
    const [got, want] = [await model.forward(given), await model.forward(floats)];
    // The inputs are off by a rounding of float32, which the layers multiply.
    got.logits?.data.forEach((logit, at) => {
      if (!(Math.abs(logit - (want.logits?.data[at] as number)) <= 2e-5)) throw new Error(`${at}: ${logit}`);
    });
    expect((await model.embed(given)).shape).toEqual([1, 21]);
  });
  test('alpha is left out', async () => {
    const faint = { ...image, data: data.map((byte, at) => (at % 4 === 3 ? 255 - byte : byte)) };
    expect((await model.forward(faint)).logits).toEqual((await model.forward(image)).logits);
  });
  test.each([
    ['another size', { ...image, data: new Uint8ClampedArray(4 * 144 * 2), width: 24 }, 'SHAPE_MISMATCH', '12×12'],
    ['another shape', { ...image, width: 24, height: 6 }, 'SHAPE_MISMATCH', '24×6'],
    ['fewer bytes than it says', { ...image, data: data.slice(4) }, 'SHAPE_MISMATCH', '572 bytes'],
    ['bytes of another size', data.slice(4), 'SHAPE_MISMATCH', '572 bytes'],
    ['halves', { ...image, data: new Uint16Array(576) }, 'UNSUPPORTED_DTYPE', 'Uint16Array'],
  ])('of %s are refused', async (_, given, code, told) => {
    const error = await rejection(model.forward(given as never));
    expect([error.code, error.argument, error.message.includes(told)]).toEqual([code, 'input', true]);
  });
  test('of colours are refused where the model has another number of channels', async () => {
    const grey = { ...weights() };
    const name = 'embeddings.patch_embeddings.projection.weight';
    grey[name] = { data: new Float32Array(21 * 9), shape: [21, 1, 3, 3] };
    const own = createModel(engine(), { config: { ...config, num_channels: 1 }, tensors: grey });
    const error = await rejection(own.forward(image));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'input']);
    own.dispose();
  });

  describe('sizes in config.json', () => {
    test('may be two equal ones', async () => {
      const square = { ...config, image_size: [12, 12], patch_size: [3, 3] };
      const own = createModel(engine(), { config: square, tensors: all });
      expect((await own.forward(floats)).logits).toEqual((await model.forward(floats)).logits);
      own.dispose();
    });
    test.each([[[12, 15]], [[12]], [[12, 12, 12]], [[]], [[12, '12']], ['12']])('%o is refused', (image_size) => {
      const error = refusedModel(engine(), { config: { ...config, image_size }, tensors: all });
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'files.config.image_size']);
    });
  });
});

test('pixels of a ViT in a worker are those of an ImageData', async () => {
  const worker = await createAttentionWorker();
  const model = await worker.createModel({ config, tensors: all });
  const want = await model.forward({ ...image });
  for (const given of [new OfCanvas(), data]) expect((await model.forward(given)).logits).toEqual(want.logits);
  const { code } = await rejection(model.forward({ ...image, width: 6 }));
  expect([want.logits?.shape, code]).toEqual([[1, 5], 'SHAPE_MISMATCH']);
  worker.dispose();
});
