/**
 * A BERT encoder as onnxruntime's own transformer optimiser leaves it: per layer one Attention over the packed
 * projections, two SkipLayerNormalizations that also add the bias, and BiasGelu; weights are initialisers.
 *
 * `tensors` has Hugging Face's names and float32 data. The graph takes `ids` and `types` [1, length] and gives the
 * last hidden state [1, length, embedding size].
 */
export function bertGraph(config, tensors) {
  const graph = new Graph(tensors);
  const epsilon = config.layer_norm_eps;
  let hidden = graph.node('EmbedLayerNormalization', {
    inputs: ['ids', 'types', ...embeddingTables.map((name) => graph.weight(`embeddings.${name}`))],
    attributes: { epsilon },
    // Its schema wants this output, although there is no padding.
    unused: ['mask_index'],
  });
  for (let index = 0; index < config.num_hidden_layers; index++) {
    hidden = layer(graph, `encoder.layer.${index}.`, hidden, { heads: config.num_attention_heads, epsilon });
  }
  const tokens = (name) => ({ name, type: 'INT32', shape: [1, 'length'] });
  return {
    ...graph.parts,
    inputs: [tokens('ids'), tokens('types')],
    outputs: [{ name: hidden, shape: [1, 'length', config.hidden_size] }],
  };
}

const embeddingTables = [
  'word_embeddings.weight',
  'position_embeddings.weight',
  'token_type_embeddings.weight',
  'LayerNorm.weight',
  'LayerNorm.bias',
];

function layer(graph, name, hidden, { heads, epsilon }) {
  const projections = ['query', 'key', 'value'].map((part) => `${name}attention.self.${part}`);
  const attended = graph.node('Attention', {
    inputs: [hidden, graph.projection(projections), graph.joined(projections)],
    attributes: { num_heads: heads },
  });
  const addAndNormalise = (product, dense, skip, norm) =>
    graph.node('SkipLayerNormalization', {
      inputs: [
        product,
        skip,
        graph.weight(`${norm}.weight`),
        graph.weight(`${norm}.bias`),
        graph.weight(`${dense}.bias`),
      ],
      attributes: { epsilon },
    });
  const multiply = (x, dense) => graph.node('MatMul', { domain: '', inputs: [x, graph.projection([dense])] });

  const [output, up, down] = ['attention.output', 'intermediate', 'output'].map((part) => `${name}${part}`);
  const middle = addAndNormalise(
    multiply(attended, `${output}.dense`),
    `${output}.dense`,
    hidden,
    `${output}.LayerNorm`,
  );
  const activated = graph.node('BiasGelu', {
    inputs: [multiply(middle, `${up}.dense`), graph.weight(`${up}.dense.bias`)],
  });
  return addAndNormalise(multiply(activated, `${down}.dense`), `${down}.dense`, middle, `${down}.LayerNorm`);
}

/** Nodes in the order they run, and the weights that they name. */
class Graph {
  parts = { nodes: [], initializers: [] };
  #tensors;

  constructor(tensors) {
    this.#tensors = tensors;
  }

  /** Returns the name of the node's first output. */
  node(opType, { domain = 'com.microsoft', inputs, attributes = {}, unused = [] }) {
    const output = `${opType}_${this.parts.nodes.length}`;
    this.parts.nodes.push({ opType, domain, inputs, outputs: [output, ...unused], attributes });
    return output;
  }

  weight(name) {
    return this.#initializer(name, this.#tensors[name]);
  }

  /** Biases of several linear layers, one after the other. */
  joined(names) {
    const data = names.flatMap((name) => Array.from(this.#tensors[`${name}.bias`].data));
    return this.#initializer(`${names[0]}.joined`, { data: Float32Array.from(data), shape: [data.length] });
  }

  /** Weights [out, in] of several linear layers as one [in, out of all]. */
  projection(names) {
    const weights = names.map((name) => this.#tensors[`${name}.weight`]);
    const [outputs, inputs] = weights[0].shape;
    const columns = outputs * weights.length;
    const data = new Float32Array(inputs * columns);
    for (const [part, { data: rows }] of weights.entries()) {
      for (let o = 0; o < outputs; o++) {
        for (let i = 0; i < inputs; i++) data[i * columns + part * outputs + o] = rows[o * inputs + i];
      }
    }
    return this.#initializer(`${names[0]}.transposed`, { data, shape: [inputs, columns] });
  }

  #initializer(name, { data, shape }) {
    this.parts.initializers.push({ name, data, shape });
    return name;
  }
}
