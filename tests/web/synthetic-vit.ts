import type { VitConfig } from './oracle/vit.ts';
import { type Floats, Random } from './random.ts';
import { Maker } from './synthetic.ts';

/** A small ViT with weights from a seed: 16 patches of 3×3 pixels, sizes that no vector or tile divides, and Google's keys. */
export const config: VitConfig & Record<string, unknown> & { model_type: string } = {
  architectures: ['ViTForImageClassification'],
  attention_probs_dropout_prob: 0,
  encoder_stride: 3,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0,
  hidden_size: 21,
  id2label: { 0: 'ant', 1: 'bee', 2: 'cat', 3: 'dog', 4: 'elk' },
  image_size: 12,
  initializer_range: 0.02,
  intermediate_size: 37,
  label2id: { ant: 0, bee: 1, cat: 2, dog: 3, elk: 4 },
  layer_norm_eps: 1e-12,
  model_type: 'vit',
  num_attention_heads: 3,
  num_channels: 3,
  num_hidden_layers: 3,
  patch_size: 3,
  qkv_bias: true,
  torch_dtype: 'float32',
  transformers_version: '4.13.0.dev0',
};
export const [E, H, L, tokens, labels] = [21, 3, 3, 17, 5];

export function weights({ pooler = false, classifier = true, qkvBias = true, seed = 5 } = {}): Record<string, Floats> {
  const make = new Maker(seed);
  make.tensor('embeddings.cls_token', [1, 1, E]);
  make.tensor('embeddings.position_embeddings', [1, tokens, E]);
  make.tensor('embeddings.patch_embeddings.projection.weight', [E, 3, 3, 3], 1.5 * 27 ** -0.5);
  make.tensor('embeddings.patch_embeddings.projection.bias', [E], 0.3);
  for (let layer = 0; layer < L; layer++) {
    const at = `encoder.layer.${layer}`;
    make.norm(`${at}.layernorm_before`, E);
    for (const name of ['query', 'key', 'value'])
      make.dense(`${at}.attention.attention.${name}`, E, E, { bias: qkvBias });
    make.dense(`${at}.attention.output.dense`, E, E);
    make.norm(`${at}.layernorm_after`, E);
    make.dense(`${at}.intermediate.dense`, 37, E);
    make.dense(`${at}.output.dense`, E, 37);
  }
  make.norm('layernorm', E);
  if (pooler) make.dense('pooler.dense', E, E);
  if (classifier) make.dense('classifier', labels, E);
  return make.tensors;
}

/** Pictures [B,3,12,12] as normalised ones are: numbers around 0. */
export const picture = (seed: number, batch = 1): Floats => new Random(seed).tensor([batch, 3, 12, 12]);
