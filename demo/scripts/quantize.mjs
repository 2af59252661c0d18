import { readSafetensors } from 'attention-wasm/models';
import { writeSafetensors } from './safetensors.mjs';

/** The tables of positions and token types keep their numbers: the package rounds neither. */
const isRounded = (name, shape) => shape.length === 2 && !/(position|token_type)_embeddings/.test(name);

/**
 * The float16 file as int8: matrices and the table of words as I8 [rows, columns] beside `<name>.scale` F32 [rows], all
 * else as it was. Integers, such as position_ids, are left out: no model reads them.
 */
export function toInt8(attention, bytes) {
  const tensors = {};
  for (const [name, tensor] of Object.entries(readSafetensors(bytes))) {
    if (tensor.dtype !== 'float16') continue;
    const { shape } = tensor;
    if (isRounded(name, shape)) {
      const { values, scales } = roundRows(widen(attention, tensor), shape);
      tensors[name] = { dtype: 'I8', shape, data: values };
      tensors[`${name}.scale`] = { dtype: 'F32', shape: [shape[0]], data: scales };
    } else tensors[name] = { dtype: 'F16', shape, data: tensor.data };
  }
  return writeSafetensors(tensors);
}

function widen(attention, tensor) {
  const wide = attention.tensor(tensor, 'float32');
  const values = wide.data.slice();
  wide.dispose();
  return values;
}

/** As the core rounds: max|w|/127 a row, in float32, ties to even. */
function roundRows(from, [rows, columns]) {
  const values = new Int8Array(from.length);
  const scales = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const at = r * columns;
    const row = from.subarray(at, at + columns);
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = Math.fround(largest / 127);
    scales[r] = scale;
    if (scale > 0) for (let c = 0; c < columns; c++) values[at + c] = toEven(Math.fround(row[c] / scale));
  }
  return { values, scales };
}

function toEven(x) {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
