import type { Attention } from 'attention-wasm';
import { applyLens, headOf, type Layer, layerOfWeights, tileOf } from './layers';
import type { Pass } from './pass';

/** Beyond it the product of two maps takes longer than anyone waits. */
const mostTokens = 1024;

/**
 * Of each layer, what flows from the tokens of the text into each place through all layers so far: the heads' mean with
 * the residual stream, multiplied (Abnar & Zuidema 2020). One "head" a layer.
 */
export function rolloutOf(attention: Attention, pass: Pass): Layer[] {
  const size = pass.tokens.length;
  if (size > mostTokens)
    throw new Error(`Rollout multiplies whole maps: it is for texts of at most ${mostTokens} tokens.`);
  const whole = applyLens(attention, pass, pass.layers, {
    kind: 'heads',
    hideSeparators: false,
    weighting: 'attention',
  });
  const means = pass.layers.map(({ heads }, layer) => {
    const mean = new Float32Array(size * size);
    for (let head = 0; head < heads; head++) {
      const full = { rows: [0, size], columns: [0, size], size: [size, size] } as const;
      const { cells } = tileOf(attention, headOf(whole, { layer, head }), full);
      for (let i = 0; i < cells.length; i++) mean[i] += cells[i] / heads;
    }
    return { data: mean, shape: [1, size, size] };
  });
  return means.map((_, layer) => {
    const product = attention.attentionRollout(means.slice(0, layer + 1));
    return layerOfWeights(product.data, 1, size);
  });
}
