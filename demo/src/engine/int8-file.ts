import type { TensorLike } from 'attention-wasm';
import { type FileTensor, readSafetensors } from 'attention-wasm/models';

/**
 * The tensors of a file made by scripts/weights.mjs, for createModel with `weights: 'int8'`, which rounds to the same
 * integers again. A rounded one is widened when it is asked for and not kept, so that only one at a time takes memory.
 */
export function readInt8(bytes: Uint8Array): Record<string, TensorLike> {
  const file = readSafetensors(bytes);
  const tensors: Record<string, TensorLike> = {};
  for (const [name, tensor] of Object.entries(file)) {
    const scale = file[`${name}.scale`];
    if (scale) Object.defineProperty(tensors, name, { enumerable: true, get: () => widen(tensor, scale) });
    else if (!name.endsWith('.scale')) tensors[name] = tensor;
  }
  return tensors;
}

/** One scale a row. */
function widen({ data, shape }: FileTensor, { data: scales }: FileTensor): TensorLike {
  const [rows, columns] = shape as [number, number];
  const wide = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const scale = scales[r] as number;
    for (let at = r * columns, end = at + columns; at < end; at++) wide[at] = (data[at] as number) * scale;
  }
  return { data: wide, shape };
}
