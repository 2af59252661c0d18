import { add, layerNorm, linear, map } from './layers.ts';
import { activation, attend, below, type Hooks, reader, rowsOf, type Trace } from './model.ts';
import { type Exact, type Numbers, valuesOf } from './values.ts';

/**
 * A vision transformer (Dosovitskiy et al. 2021) in double, for one picture [C,height,width]:
 *   h = [class token; projection of each patch, row by row] + position[s]
 *   per layer: h += O·attention(Q·LN(h), K·LN(h), V·LN(h));  h += down·act(up·LN(h))
 *   last = LN_f(h);  pooled = tanh(pooler·last[0]);  logits = classifier·last[0]
 */
export interface VitConfig {
  num_hidden_layers: number;
  num_attention_heads: number;
  layer_norm_eps: number;
  hidden_act: string;
  patch_size: number;
}

export interface VitTrace extends Trace {
  pooled?: Exact;
}

export function vit(
  config: VitConfig,
  tensors: Readonly<Record<string, Numbers>>,
  pixels: Numbers,
  hooks: Hooks = {},
): VitTrace {
  const weight = reader(tensors);
  const dense = (name: string, x: Numbers) => linear(x, weight(`${name}.weight`), tensors[`${name}.bias`]);
  const norm = (name: string, x: Numbers) =>
    layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), { epsilon: config.layer_norm_eps });

  const patches = patchesOf(pixels, weight('embeddings.patch_embeddings.projection.weight'));
  const projected = add(patches, weight('embeddings.patch_embeddings.projection.bias'));
  const first = { data: valuesOf(weight('embeddings.cls_token')), shape: [1, projected.shape[1] as number] };
  const tokens = below(first, projected);
  let h = add(tokens, { data: valuesOf(weight('embeddings.position_embeddings')), shape: tokens.shape });
  const trace = { hiddenStates: [h], attentions: [] as Exact[], projections: [] as Trace['projections'] };
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = (name: string) => `encoder.layer.${layer}.${name}`;
    const n = norm(at('layernorm_before'), h);
    const part = (name: string) => dense(at(`attention.attention.${name}`), n);
    const done = attend(
      layer,
      [part('query'), part('key'), part('value')],
      { numHeads: config.num_attention_heads },
      hooks,
    );
    trace.attentions.push(done.probabilities);
    trace.projections.push(done.projections);
    h = add(h, dense(at('attention.output.dense'), done.output));
    const up = map(dense(at('intermediate.dense'), norm(at('layernorm_after'), h)), activation(config.hidden_act));
    h = add(h, dense(at('output.dense'), up));
    trace.hiddenStates.push(h);
  }
  const lastHiddenState = norm('layernorm', h);
  const cls = rowsOf(lastHiddenState, 0, 1);
  return {
    ...trace,
    lastHiddenState,
    ...(tensors['pooler.dense.weight'] && { pooled: map(dense('pooler.dense', cls), Math.tanh) }),
    ...(tensors['classifier.weight'] && { logits: dense('classifier', cls) }),
  };
}

/** A convolution [E,C,P,P] that moves by its own size: every patch of P×P pixels becomes E numbers. */
function patchesOf(pixels: Numbers, kernel: Numbers): Exact {
  const [C = 0, height = 0, width = 0] = pixels.shape;
  const [E = 0, , P = 0] = kernel.shape;
  const [image, weights] = [valuesOf(pixels), valuesOf(kernel)];
  const [rows, columns] = [Math.floor(height / P), Math.floor(width / P)];
  const data = new Float64Array(rows * columns * E);
  for (let patch = 0; patch < rows * columns; patch++)
    for (let e = 0; e < E; e++) {
      const [top, left] = [Math.floor(patch / columns) * P, (patch % columns) * P];
      let sum = 0;
      for (let c = 0; c < C; c++)
        for (let y = 0; y < P; y++)
          for (let x = 0; x < P; x++)
            sum +=
              (image[(c * height + top + y) * width + left + x] as number) *
              (weights[((e * C + c) * P + y) * P + x] as number);
      data[patch * E + e] = sum;
    }
  return { data, shape: [rows * columns, E] };
}
