import { AttentionError, describe, refused } from '../errors.js';
import { operand } from '../operand.js';
import type { Attention, Tensor, TensorLike } from '../types.js';
import type { PatchEmbedding } from './parts.js';
import type { ImagePixels } from './types.js';

/** Pixels [B,C,height,width] as the rows of their patches, [B,patches,C·P·P]: a convolution whose stride is its size. */
export interface Patches {
  readonly batch: number;
  readonly count: number;
  readonly rows: Float32Array;
}

export function readPatches(attention: Attention, input: unknown, embedding: PatchEmbedding): Patches {
  const picture = pictureIn(input, embedding);
  if (picture) return cut(pixelsOf(picture, embedding), 1, embedding);
  const { imageSize, channels } = embedding;
  const { shape, dtype, given } = operand('input', input);
  const [batch, ...image] = shape;
  if (shape.length !== 4 || `${image}` !== `${[channels, imageSize, imageSize]}` || !batch) {
    const wanted = `[B,${channels},${imageSize},${imageSize}] with B from 1 on`;
    throw new AttentionError('SHAPE_MISMATCH', 'input', `got shape [${shape}], wanted ${wanted}`);
  }
  if (dtype !== 'float32' && dtype !== 'float16') {
    throw new AttentionError('UNSUPPORTED_DTYPE', 'input', `got ${given}, wanted float32 or float16`);
  }
  const pixels = attention.tensor(input as TensorLike, 'float32');
  try {
    return cut(pixels.data, batch, embedding);
  } finally {
    pixels.dispose();
  }
}

/** An ImageData, or its data alone; nothing for anything else. */
function pictureIn(input: unknown, { imageSize }: PatchEmbedding): ImagePixels | undefined {
  if (isClamped(input)) return { data: input, width: imageSize, height: imageSize };
  if (input === null || typeof input !== 'object' || !('width' in input && 'height' in input)) return undefined;
  const { data, width, height } = input as ImagePixels;
  if (isClamped(data)) return { data, width, height };
  const message = `got an image of ${describe(data)}, wanted one of a Uint8ClampedArray`;
  throw new AttentionError('UNSUPPORTED_DTYPE', 'input', message);
}

const isClamped = (value: unknown): value is Uint8ClampedArray =>
  Object.prototype.toString.call(value) === '[object Uint8ClampedArray]';

/** Bytes of red, green, blue and alpha as the floats [3,height,width] that ViT was trained with: byte/127.5 − 1. */
function pixelsOf({ data, width, height }: ImagePixels, { imageSize: size, channels }: PatchEmbedding): Float32Array {
  if (channels !== 3) throw refused('input', 'an image of red, green and blue', `${channels} channels, as a tensor`);
  const count = size * size;
  if (width !== size || height !== size || data.length !== 4 * count) {
    const got = `an image of ${describe(width)}×${describe(height)} pixels in ${data.length} bytes`;
    const wanted = `${size}×${size} in ${4 * count}: draw it at that size`;
    throw new AttentionError('SHAPE_MISMATCH', 'input', `got ${got}, wanted ${wanted}`);
  }
  const pixels = new Float32Array(3 * count);
  for (let at = 0; at < count; at++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[channel * count + at] = (data[4 * at + channel] as number) / 127.5 - 1;
    }
  }
  return pixels;
}

function cut(pixels: Float32Array, batch: number, { imageSize, patchSize, channels }: PatchEmbedding): Patches {
  const across = imageSize / patchSize;
  const width = channels * patchSize ** 2;
  const rows = new Float32Array(batch * across ** 2 * width);
  let to = 0;
  for (let b = 0; b < batch; b++) {
    for (let patch = 0; patch < across ** 2; patch++) {
      const [top, left] = [Math.floor(patch / across) * patchSize, (patch % across) * patchSize];
      for (let c = 0; c < channels; c++) {
        for (let y = 0; y < patchSize; y++, to += patchSize) {
          const from = ((b * channels + c) * imageSize + top + y) * imageSize + left;
          rows.set(pixels.subarray(from, from + patchSize), to);
        }
      }
    }
  }
  return { batch, count: across ** 2, rows };
}

/** [B,1 + patches,E]: the first token, then linear(patch), + positions. */
export async function embedPatches(
  attention: Attention,
  patches: Patches,
  embedding: PatchEmbedding,
): Promise<Tensor<'float32'>> {
  const { batch, count, rows } = patches;
  const { projection, firstToken, positions } = embedding;
  const width = rows.length / (batch * count);
  const pixels = { data: rows, shape: [batch * count, width] };
  const { data } = await attention.linear(pixels, projection.weight, projection.bias);
  const size = data.length / (batch * count);
  const hidden = attention.zeros([batch, 1 + count, size]);
  try {
    const to = hidden.data;
    for (let b = 0; b < batch; b++) {
      const at = b * (1 + count) * size;
      to.set(firstToken.data, at);
      to.set(data.subarray(b * count * size, (b + 1) * count * size), at + size);
    }
    attention.add(hidden, positions, { out: hidden });
    return hidden;
  } catch (error) {
    hidden.dispose();
    throw error;
  }
}
