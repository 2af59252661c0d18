import { divisor } from './bert.js';
import type { Config } from './config.js';
import type { Block, Checkpoint } from './parts.js';
import { feedForward, type Weights } from './weights.js';

/** Radford et al. 2019: learned positions, normalised first, causal. */
export function gpt2(config: Config): (weights: Weights) => Checkpoint {
  config.only('scale_attn_weights', true);
  config.only('add_cross_attention', false);
  config.only('is_decoder', true, false);
  config.ignore('reorder_and_upcast_attn', 'n_ctx');
  const e = config.size('n_embd');
  const heads = divisor(config, 'n_head', e);
  const hiddenSize = config.size('n_inner', 4 * e);
  const layers = config.size('n_layer');
  const vocabulary = config.size('vocab_size');
  const positions = config.size('n_positions', 1024);
  const epsilon = config.epsilon('layer_norm_epsilon', 1e-5);
  const activation = config.activation('activation_function', 'gelu_new');
  const scaleByLayer = config.flag('scale_attn_by_inverse_layer_idx', false);
  const isTied = config.flag('tie_word_embeddings', true);
  const ends = config.textEnds();

  const block = (weights: Weights, index: number): Block => {
    const [attention, mlp] = [`h.${index}.attn`, `h.${index}.mlp`];
    const projection = (n: number) => weights.convolution(`${attention}.c_attn`, 3 * e, e, [n * e, (n + 1) * e]);
    return {
      attention: {
        query: projection(0),
        key: projection(1),
        value: projection(2),
        output: weights.convolution(`${attention}.c_proj`, e, e),
      },
      attentionNorm: weights.norm(`h.${index}.ln_1`, e, epsilon),
      feedForward: feedForward(
        weights.convolution(`${mlp}.c_fc`, hiddenSize, e),
        weights.convolution(`${mlp}.c_proj`, e, hiddenSize),
      ),
      feedForwardNorm: weights.norm(`h.${index}.ln_2`, e, epsilon),
    };
  };
  return (weights) => {
    const { words, head } = weights.wordsAndHead(['wte.weight'], [vocabulary, e], isTied);
    return {
      type: 'gpt2',
      tokens: {
        vocabulary,
        maxLength: positions,
        words,
        positions: weights.fileTable('wpe.weight', [positions, e]),
      },
      stack: {
        blocks: Array.from({ length: layers }, (_, index) => block(weights, index)),
        heads,
        kvHeads: heads,
        headDim: e / heads,
        embedSize: e,
        normFirst: true,
        activation,
        causal: true,
        scaleByLayer,
        finalNorm: weights.norm('ln_f', e, epsilon),
      },
      head,
      ...ends,
    };
  };
}
