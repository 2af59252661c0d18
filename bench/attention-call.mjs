// Calls of this package that more than one place measures; they run in browsers too.

/** With plain arrays: copies in and out are part of it. */
export function attentionCall(engine, { query, key, value }, { heads, length, size, causal }) {
  const tensor = (data) => ({ data, shape: [1, heads, length, size] });
  return () => engine.scaledDotProductAttention(tensor(query), tensor(key), tensor(value), { causal }).output.data;
}
