// softmax(q·k / √D + causal mask)·v as plain loops in double, from the formula.
export function causalAttention({ query, key, value }, { heads, length, size }) {
  const output = new Float64Array(heads * length * size);
  const weights = new Float64Array(heads * length * length);
  for (let h = 0; h < heads; h++) {
    for (let i = 0; i < length; i++) {
      const row = new Float64Array(i + 1);
      for (let j = 0; j <= i; j++) {
        let dot = 0;
        for (let d = 0; d < size; d++) {
          dot += query[(h * length + i) * size + d] * key[(h * length + j) * size + d];
        }
        row[j] = Math.exp(dot / Math.sqrt(size));
      }
      const sum = row.reduce((total, term) => total + term, 0);
      for (let j = 0; j <= i; j++) {
        weights[(h * length + i) * length + j] = row[j] / sum;
        for (let d = 0; d < size; d++) {
          output[(h * length + i) * size + d] += (row[j] / sum) * value[(h * length + j) * size + d];
        }
      }
    }
  }
  return { output, weights };
}

/** NaN where a value is missing or not a number. */
export function largestDifference(actual, expected) {
  if (actual.length !== expected.length) return Number.NaN;
  return expected.reduce((largest, value, index) => Math.max(largest, Math.abs(actual[index] - value)), 0);
}

/** Numbers in [-1, 1) from a linear congruential generator (Numerical Recipes). */
export function randomArray(length, seed) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
