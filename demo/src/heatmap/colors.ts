import cividis from '../generated/cividis.json';

/** Most weights are small: the square root keeps 0.01 apart from nothing. */
export const colorPosition = (weight: number) => Math.sqrt(Math.min(1, Math.max(0, weight)));

/** Index of a weight in the 256 colours. */
export const colorIndex = (weight: number) => Math.round(255 * colorPosition(weight));

/** Whether black is the legible writing on this weight's colour; here both have a contrast of 4.5. */
export const isBright = (weight: number) => colorIndex(weight) >= 120;

/** One 32-bit pixel per colour, as ImageData lays it out on the little-endian machines WebAssembly runs on. */
export const pixels = Uint32Array.from({ length: 256 }, (_, i) => {
  const [red, green, blue] = cividis.slice(3 * i, 3 * i + 3);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
});
