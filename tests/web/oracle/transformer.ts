import { add, feedForward, gelu, layerNorm, relu } from './layers.ts';
import { multiHeadAttention } from './multi-head.ts';
import { type Exact, type Numbers, valuesOf } from './values.ts';

export interface Config {
  numHeads: number;
  activation?: 'relu' | 'gelu';
  normFirst?: boolean;
  layerNormEpsilon?: number;
}

export interface Masks<Tensor = Numbers> {
  causal?: boolean;
  mask?: Tensor;
  attentionMask?: Tensor;
  memoryMask?: Tensor;
  memoryAttentionMask?: Tensor;
}

export interface Passed {
  output: Exact;
  /** Of each layer. */
  weights: Exact[];
  crossWeights: Exact[];
}

type Weights = Readonly<Record<string, Numbers>>;

/** The entries that begin with `prefix.`, without it. */
const under = (weights: Weights, prefix: string): Weights =>
  Object.fromEntries(
    Object.entries(weights)
      .filter(([name]) => name.startsWith(`${prefix}.`))
      .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]),
  );

/**
 * Vaswani et al. 2017, 3.1, as torch.nn.TransformerEncoderLayer and TransformerDecoderLayer: each part P makes
 * norm(x + P(x)), or x + P(norm(x)) with normFirst. Parts: self-attention, with memory attention to it, feed-forward.
 */
function layer(
  config: Config,
  weights: Weights,
  input: Numbers,
  memory: Numbers | undefined,
  masks: Masks,
): { output: Exact; weights: Exact; crossWeights?: Exact } {
  const embedDim = input.shape.at(-1) as number;
  const sizes = { embedDim, numHeads: config.numHeads };
  const { causal, mask, attentionMask, memoryMask, memoryAttentionMask } = masks;
  let own: Exact | undefined;
  let cross: Exact | undefined;
  const parts = [
    (x: Numbers) => {
      const result = multiHeadAttention(sizes, under(weights, 'self_attn'), [x, x, x], { causal, mask, attentionMask });
      own = result.probabilities;
      return result.output;
    },
    ...(memory
      ? [
          (x: Numbers) => {
            const result = multiHeadAttention(sizes, under(weights, 'multihead_attn'), [x, memory, memory], {
              mask: memoryMask,
              attentionMask: memoryAttentionMask,
            });
            cross = result.probabilities;
            return result.output;
          },
        ]
      : []),
    (x: Numbers) => {
      const [first, second] = [under(weights, 'linear1'), under(weights, 'linear2')];
      return feedForward(
        x,
        {
          up: first.weight as Numbers,
          upBias: first.bias,
          down: second.weight as Numbers,
          downBias: second.bias,
        },
        config.activation === 'gelu' ? gelu : relu,
      );
    },
  ];
  let x: Exact = { data: valuesOf(input), shape: input.shape };
  for (const [index, part] of parts.entries()) {
    const norm = (of: Numbers) => {
      const { weight, bias } = under(weights, `norm${index + 1}`);
      return layerNorm(of, weight, bias, { epsilon: config.layerNormEpsilon ?? 1e-5 });
    };
    x = config.normFirst ? add(x, part(norm(x))) : norm(add(x, part(x)));
  }
  return { output: x, weights: own as Exact, crossWeights: cross };
}

/** torch.nn.TransformerEncoder, or TransformerDecoder where there is a memory; a layer by itself has no `layers.`. */
export function transformer(
  config: Config,
  weights: Weights,
  input: Numbers,
  memory?: Numbers,
  masks: Masks = {},
): Passed {
  const maps: Pick<Passed, 'weights' | 'crossWeights'> = { weights: [], crossWeights: [] };
  let x: Exact = { data: valuesOf(input), shape: input.shape };
  const run = (own: Weights) => {
    const result = layer(config, own, x, memory, masks);
    x = result.output;
    maps.weights.push(result.weights);
    if (result.crossWeights) maps.crossWeights.push(result.crossWeights);
  };
  if ('linear1.weight' in weights) run(weights);
  for (let n = 0; `layers.${n}.linear1.weight` in weights; n++) run(under(weights, `layers.${n}`));
  const { weight, bias } = under(weights, 'norm');
  if (weight) x = layerNorm(x, weight, bias, { epsilon: config.layerNormEpsilon ?? 1e-5 });
  return { output: x, ...maps };
}
