/** What the oracles read: numbers in row-major order with a shape, by themselves or as IEEE half floats' bits. */
export interface Numbers {
  readonly data: ArrayLike<number | bigint>;
  readonly shape: readonly number[];
  readonly dtype?: string;
}

/** What the oracles give back. */
export interface Exact {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// A checkpoint has millions of them.
const everyHalf = Float64Array.from({ length: 65536 }, (_, bits) => fromHalf(bits));

/** The nearest half, ties to even: the spacing at x is 2^(e-10) for 2^e <= |x| < 2^(e+1), and 2^-24 below 2^-14. */
export function toHalf(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (size >= 65520) return sign | 0x7c00;
  let exponent = -14;
  while (exponent < 15 && size >= 2 ** (exponent + 1)) exponent++;
  const steps = roundHalfToEven(size / 2 ** (exponent - 10));
  // A normal number has 1024..2048 steps; 2048 carries into the next exponent by itself.
  return size < 2 ** -14 ? sign | steps : sign | (((exponent + 15) << 10) + steps - 1024);
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

export const halves = (values: ArrayLike<number>): Uint16Array => Uint16Array.from(values, toHalf);

/** The numbers themselves in double. */
export function valuesOf(tensor: Numbers): Float64Array {
  const values = new Float64Array(tensor.data.length);
  const half = tensor.dtype === 'float16';
  for (let i = 0; i < values.length; i++) {
    const x = Number(tensor.data[i]);
    values[i] = half ? (everyHalf[x] as number) : x;
  }
  return values;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);
