import type { Numbers } from './oracle/values.ts';
import type { Floats, Plain } from './random.ts';

/** What int8 keys and values are multiplied by: [B,Hkv,Skv]. */
export interface Scales {
  keyScales?: Plain;
  valueScales?: Plain;
}

type Axes = { layout?: 'BHSD' | 'BSHD'; numHeads?: number };

/** For each row of memory, the place of its factor in [B,Hkv,Skv]. */
function placesOf([B, H, S]: readonly number[] = [], rank: number, { layout, numHeads }: Axes): number[] {
  const isHeadMajor = rank === 4 ? layout !== 'BSHD' : numHeads === undefined;
  const rows = Array.from({ length: Number(B) * Number(H) * Number(S) }, (_, row) => row);
  if (isHeadMajor) return rows;
  const [heads, length] = [Number(H), Number(S)];
  return rows.map((row) => {
    const [token, head] = [Math.floor(row / heads), row % heads];
    return (Math.floor(token / length) * heads + head) * length + (token % length);
  });
}

/** The numbers that int8 and its scales stand for; others are themselves. */
export function dequantised(tensor: Plain, scales: Plain | undefined, axes: Axes): Numbers {
  if (!scales) return tensor;
  const places = placesOf(scales.shape, tensor.shape.length, axes);
  const width = tensor.data.length / places.length;
  const factorOf = (n: number) => Number(scales.data[places[Math.floor(n / width)] as number]);
  const data = new Float64Array(tensor.data.length).map((_, n) => Number(tensor.data[n]) * factorOf(n));
  return { data, shape: tensor.shape };
}

/** The nearest int8 of each row's own scale; NaN or an infinity in a row is one in its scale. */
export function quantised(
  { data, shape }: Floats,
  ofScales: [B: number, Hkv: number, Skv: number],
  axes: Axes,
): { values: Plain; scales: Floats } {
  const scales = { data: new Float32Array(ofScales[0] * ofScales[1] * ofScales[2]), shape: ofScales };
  const places = placesOf(ofScales, shape.length, axes);
  const width = data.length / places.length;
  const values = new Int8Array(data.length);
  places.forEach((place, row) => {
    const numbers = data.subarray(row * width, (row + 1) * width);
    const factor = Math.fround(Math.max(...numbers.map(Math.abs), 0) / 127);
    scales.data[place] = factor;
    values.set(
      numbers.map((x) => Math.round(x / factor)),
      row * width,
    );
  });
  return { values: { data: values, shape }, scales };
}
