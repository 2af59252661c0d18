import cividis from '../generated/cividis.json';
import differences from '../generated/differences.json';

/** 256 colours and what they mean. */
export interface Scale {
  name: 'weights' | 'differences';
  /** Where a value stands among the colours, from 0 to 1. */
  position(value: number): number;
  /** Three channels a colour. */
  channels: readonly number[];
  /** One 32-bit pixel a colour, as ImageData lays it out on the little-endian machines WebAssembly runs on. */
  pixels: Uint32Array;
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** Most weights are small: the square root keeps 0.01 apart from nothing. */
export const weightScale = scale('weights', cividis, (weight) => Math.sqrt(clamp(weight)));

/** From −1 over 0 in the middle to 1; roots for the same reason. */
export const differenceScale = scale('differences', differences, (value) =>
  clamp((1 + Math.sign(value) * Math.sqrt(Math.abs(value))) / 2),
);

/** Index of a value among the 256 colours. */
export const colorIndex = ({ position }: Scale, value: number) => Math.round(255 * position(value));

/** Whether black is the legible writing on this value's colour; on those of weights both have a contrast of 4.5. */
export function isBright({ channels, position }: Scale, value: number): boolean {
  const index = 3 * Math.round(255 * position(value));
  const [red, green, blue] = channels.slice(index, index + 3).map(linear);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
}

// Relative luminance as contrast is reckoned from it (WCAG 2).
const linear = (channel: number) => (channel <= 10 ? channel / 3294.6 : ((channel / 255 + 0.055) / 1.055) ** 2.4);

function scale(name: Scale['name'], channels: readonly number[], position: Scale['position']): Scale {
  const pixels = Uint32Array.from({ length: 256 }, (_, i) => {
    const [red, green, blue] = channels.slice(3 * i, 3 * i + 3);
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
  return { name, position, channels, pixels };
}
