import { expect, test } from 'vitest';
import { multiHeadAttention, standardAttention } from '../../bench/peers/attention-graphs.mjs';
import { bertGraph } from '../../bench/peers/bert-graph.mjs';

const [embedSize, hiddenSize, vocabulary, positions] = [4, 6, 5, 3];
const config = { num_hidden_layers: 2, num_attention_heads: 2, hidden_size: embedSize, layer_norm_eps: 1e-12 };

let next = 0;
const tensor = (...shape) => {
  const count = shape.reduce((a, b) => a * b);
  return { data: Float32Array.from({ length: count }, () => next++), shape };
};
const affine = (name, size) => ({ [`${name}.weight`]: tensor(size), [`${name}.bias`]: tensor(size) });
const dense = (name, outputs, inputs) => ({
  [`${name}.weight`]: tensor(outputs, inputs),
  [`${name}.bias`]: tensor(outputs),
});
const layer = (name) => ({
  ...dense(`${name}.attention.self.query`, embedSize, embedSize),
  ...dense(`${name}.attention.self.key`, embedSize, embedSize),
  ...dense(`${name}.attention.self.value`, embedSize, embedSize),
  ...dense(`${name}.attention.output.dense`, embedSize, embedSize),
  ...affine(`${name}.attention.output.LayerNorm`, embedSize),
  ...dense(`${name}.intermediate.dense`, hiddenSize, embedSize),
  ...dense(`${name}.output.dense`, embedSize, hiddenSize),
  ...affine(`${name}.output.LayerNorm`, embedSize),
});
const tensors = {
  'embeddings.word_embeddings.weight': tensor(vocabulary, embedSize),
  'embeddings.position_embeddings.weight': tensor(positions, embedSize),
  'embeddings.token_type_embeddings.weight': tensor(2, embedSize),
  ...affine('embeddings.LayerNorm', embedSize),
  ...layer('encoder.layer.0'),
  ...layer('encoder.layer.1'),
};

test('a BERT graph is the fused operators in order, each reading what is there already', () => {
  const { nodes, initializers, inputs, outputs } = bertGraph(config, tensors);
  const ofLayer = [
    'Attention',
    'MatMul',
    'SkipLayerNormalization',
    'MatMul',
    'BiasGelu',
    'MatMul',
    'SkipLayerNormalization',
  ];
  expect(nodes.map(({ opType }) => opType)).toEqual(['EmbedLayerNormalization', ...ofLayer, ...ofLayer]);
  const known = new Set([...inputs, ...initializers].map(({ name }) => name));
  for (const node of nodes) {
    for (const name of node.inputs) expect(known).toContain(name);
    for (const name of node.outputs) known.add(name);
  }
  expect(outputs.map(({ name }) => name)).toEqual([nodes.at(-1).outputs[0]]);
  const used = new Set(nodes.flatMap((node) => node.inputs));
  expect(initializers.filter(({ name }) => !used.has(name))).toEqual([]);
});

test('its projections are the layers side by side, inputs before outputs', () => {
  const { nodes, initializers } = bertGraph(config, tensors);
  const [, weights, biases] = nodes.find(({ opType }) => opType === 'Attention').inputs;
  const find = (wanted) => initializers.find(({ name }) => name === wanted);
  expect(find(weights).shape).toEqual([embedSize, 3 * embedSize]);
  const part = (name, kind) => tensors[`encoder.layer.0.attention.self.${name}.${kind}`].data;
  // Row 1 of the transposed weights: input 1 of every output.
  const column = (data) => Array.from({ length: embedSize }, (_, output) => data[output * embedSize + 1]);
  const parts = ['query', 'key', 'value'];
  expect(Array.from(find(weights).data.subarray(3 * embedSize, 6 * embedSize))).toEqual(
    parts.flatMap((name) => column(part(name, 'weight'))),
  );
  expect(Array.from(find(biases).data)).toEqual(parts.flatMap((name) => Array.from(part(name, 'bias'))));
});

test('attention graphs have the shapes of their operators', () => {
  const shape = { heads: 4, kvHeads: 2, length: 8, size: 16, causal: true };
  const standard = standardAttention(shape);
  expect(standard.inputs.map((input) => input.shape)).toEqual([
    [1, 4, 8, 16],
    [1, 2, 8, 16],
    [1, 2, 8, 16],
  ]);
  expect(standard.nodes[0].attributes).toEqual({ is_causal: 1 });
  const multiHead = multiHeadAttention(shape);
  expect(multiHead.outputs[0].shape).toEqual([1, 8, 64]);
  expect(multiHead.nodes[0].attributes).toEqual({ num_heads: 4, unidirectional: 1 });
});
