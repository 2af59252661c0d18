import { invalid } from '../errors.js';
import { divisor } from './bert.js';
import type { Config } from './config.js';
import type { Block, Checkpoint } from './parts.js';
import { feedForward, type Weights } from './weights.js';

/** Dosovitskiy et al. 2021: patches of an image as tokens, normalised first. */
export function vit(config: Config): (weights: Weights) => Checkpoint {
  config.ignore('encoder_stride');
  config.only('pooler_act', 'tanh');
  const e = config.size('hidden_size');
  config.only('pooler_output_size', e);
  const heads = divisor(config, 'num_attention_heads', e);
  const hiddenSize = config.size('intermediate_size');
  const layers = config.size('num_hidden_layers');
  const epsilon = config.epsilon('layer_norm_eps', 1e-12);
  const activation = config.activation('hidden_act', 'gelu');
  const hasBias = config.flag('qkv_bias', true);
  const imageSize = config.side('image_size', 224);
  const patchSize = config.side('patch_size', 16);
  const channels = config.size('num_channels', 3);
  if (imageSize % patchSize !== 0) {
    throw invalid('files.config.patch_size', patchSize, `a divisor of the image size ${imageSize}`);
  }

  const block = (weights: Weights, index: number): Block => {
    const at = `encoder.layer.${index}`;
    const project = (name: string) => weights.linear(`${at}.attention.attention.${name}`, e, e, hasBias);
    return {
      attention: {
        query: project('query'),
        key: project('key'),
        value: project('value'),
        output: weights.linear(`${at}.attention.output.dense`, e, e),
      },
      attentionNorm: weights.norm(`${at}.layernorm_before`, e, epsilon),
      feedForward: feedForward(
        weights.linear(`${at}.intermediate.dense`, hiddenSize, e),
        weights.linear(`${at}.output.dense`, e, hiddenSize),
      ),
      feedForwardNorm: weights.norm(`${at}.layernorm_after`, e, epsilon),
    };
  };
  return (weights) => {
    const kernel = [e, channels, patchSize, patchSize];
    const projection = 'embeddings.patch_embeddings.projection';
    const labels = weights.has('classifier.weight') ? weights.rowsOf('classifier.weight') : 0;
    return {
      type: 'vit',
      patches: {
        imageSize,
        patchSize,
        channels,
        projection: {
          weight: weights.reshaped(`${projection}.weight`, kernel, [e, channels * patchSize ** 2]),
          bias: weights.float32(`${projection}.bias`, [e]),
        },
        firstToken: weights.float32('embeddings.cls_token', [1, 1, e]),
        positions: weights.float32('embeddings.position_embeddings', [1, (imageSize / patchSize) ** 2 + 1, e]),
      },
      stack: {
        blocks: Array.from({ length: layers }, (_, index) => block(weights, index)),
        heads,
        kvHeads: heads,
        headDim: e / heads,
        embedSize: e,
        normFirst: true,
        activation,
        causal: false,
        finalNorm: weights.norm('layernorm', e, epsilon),
      },
      ...(labels === 0 ? {} : { head: weights.linear('classifier', labels, e) }),
      ...(weights.has('pooler.dense.weight') ? { pooler: weights.linear('pooler.dense', e, e) } : {}),
      stop: [],
      never: [],
    };
  };
}
