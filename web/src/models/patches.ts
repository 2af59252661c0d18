import { AttentionError } from '../errors.js';
import { operand } from '../operand.js';
import type { Attention, Tensor, TensorLike } from '../types.js';
import type { PatchEmbedding } from './parts.js';

/** Pixels [B,C,height,width] as the rows of their patches, [B,patches,C·P·P]: a convolution whose stride is its size. */
export interface Patches {
  readonly batch: number;
  readonly count: number;
  readonly rows: Float32Array;
}

export function readPatches(attention: Attention, input: TensorLike, embedding: PatchEmbedding): Patches {
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
  const pixels = attention.tensor(input, 'float32');
  try {
    return cut(pixels.data, batch, embedding);
  } finally {
    pixels.dispose();
  }
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
