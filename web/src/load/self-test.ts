import { AttentionError } from '../errors.js';
import type { Attention } from '../types.js';

/** Why a variant does not work here, or undefined. A module whose bytes have changed may trap, or refuse. */
export function selfTestFailure(attention: Attention): { cause?: unknown } | undefined {
  try {
    return isRight(attention) ? undefined : {};
  } catch (cause) {
    if (!(cause instanceof AttentionError && cause.code === 'OUT_OF_MEMORY')) return { cause };
    attention.dispose();
    throw cause;
  }
}

/**
 * A small causal attention against plain loops: shows in under a millisecond that the instructions this variant is made
 * of do what they should here. Sizes are odd so that every tail is run, and threads have two heads to share.
 */
function isRight(attention: Attention): boolean {
  const [heads, length, size] = [2, 13, 11];
  const count = length * size;
  const [q, k, v] = [1, 2, 3].map((seed) => values(heads * count, seed)) as [Float32Array, Float32Array, Float32Array];
  const tensor = (data: Float32Array) => ({ data, shape: [heads, length, size] });
  const { output } = attention.scaledDotProductAttention(tensor(q), tensor(k), tensor(v), { causal: true });
  const isWhole = output.data.length === heads * count && attention.info.memoryBytes > 0;
  return (
    isWhole &&
    output.data.every((value, at) => {
      const ofHead = (all: Float32Array) => all.subarray(at - (at % count));
      const [row, column] = [Math.floor((at % count) / size), at % size];
      const expected = plainAttention(ofHead(q), ofHead(k), ofHead(v), size, row, column);
      return Math.abs(value - expected) <= 1e-5;
    })
  );
}

function values(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (((i + seed) * 2654435761) % 1000) / 250 - 2);
}

function plainAttention(q: Float32Array, k: Float32Array, v: Float32Array, size: number, row: number, column: number) {
  let sum = 0;
  let weighted = 0;
  for (let j = 0; j <= row; j++) {
    let dot = 0;
    for (let d = 0; d < size; d++) dot += (q[row * size + d] as number) * (k[j * size + d] as number);
    const weight = Math.exp(dot / Math.sqrt(size));
    sum += weight;
    weighted += weight * (v[j * size + column] as number);
  }
  return weighted / sum;
}
