// Inputs, the same numbers each time, and the check that everyone measured computes the same thing.

/** In [-1, 1). */
export function randomArray(length, seed = 1) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A resident tensor, filled by repeating a block: making hundreds of megabytes of random numbers takes longer than measuring. */
export function filledTensor(engine, shape, dtype = 'float32') {
  const tensor = engine.zeros(shape, dtype);
  const { data } = tensor;
  const block = blocks[dtype]();
  for (let at = 0; at < data.length; at += block.length) data.set(block.subarray(0, data.length - at), at);
  return tensor;
}

// A length without common factors with heads and positions, so that no two of them are alike.
const blockLength = 65_537;
const blocks = {
  float32: () => randomArray(blockLength),
  int8: () => Int8Array.from(randomArray(blockLength), (value) => 127 * value),
  // Half floats by their bits: a random sign and fraction, and an exponent that makes them 0.25 to 0.5.
  float16: () =>
    Uint16Array.from(randomArray(blockLength), (value) => (value < 0 ? 0x8000 : 0) | 0x3400 | (1023 * Math.abs(value))),
};

/** [heads, length, size] → [length, heads · size]. */
export function packHeads(data, { heads, size }) {
  const length = data.length / heads / size;
  const packed = new Float32Array(data.length);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < length; row++) {
      const start = (head * length + row) * size;
      packed.set(data.subarray(start, start + size), (row * heads + head) * size);
    }
  }
  return packed;
}

export function requireEqual(actual, expected, name, most = 1e-4) {
  const difference = expected.reduce((largest, value, index) => Math.max(largest, Math.abs(actual[index] - value)), 0);
  if (!(difference <= most)) throw new Error(`${name} differs by ${difference}; ${most} is allowed.`);
}

/** The products of attended pairs: query by key and probability by value, a multiplication and an addition each. */
export function attentionOperations({ heads, length, keys = length, size, causal = false }) {
  const pairs = causal ? (length * (length + 1)) / 2 : length * keys;
  return 4 * pairs * heads * size;
}
