// Attention as graphs of one node.

/** ai.onnx Attention over [1, heads, length, size]; key and value may have fewer heads. */
export function standardAttention({ heads, kvHeads = heads, length, size, causal }) {
  return oneNode({
    opType: 'Attention',
    domain: '',
    attributes: { is_causal: causal ? 1 : 0 },
    shapes: [heads, kvHeads, kvHeads, heads].map((count) => [1, count, length, size]),
  });
}

/** onnxruntime's own com.microsoft MultiHeadAttention over [1, length, heads · size]. */
export function multiHeadAttention({ heads, length, size, causal }) {
  return oneNode({
    opType: 'MultiHeadAttention',
    domain: 'com.microsoft',
    attributes: { num_heads: heads, unidirectional: causal ? 1 : 0 },
    shapes: Array(4).fill([1, length, heads * size]),
  });
}

function oneNode({ opType, domain, attributes, shapes }) {
  const names = ['query', 'key', 'value', 'output'];
  const [query, key, value, output] = names.map((name, at) => ({ name, shape: shapes[at] }));
  return {
    nodes: [{ opType, domain, inputs: names.slice(0, 3), outputs: ['output'], attributes }],
    inputs: [query, key, value],
    outputs: [output],
  };
}
