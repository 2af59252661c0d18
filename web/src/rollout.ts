import { checkKeys, isArrayLike, oneOf } from './arguments.js';
import type { Request } from './engine.js';
import { AttentionError, invalid } from './errors.js';
import { operand } from './operand.js';
import type { NdArray, TensorLike } from './types.js';

/** HeadFusion of cpp/include/attention/layers.hpp, in its order. */
const fusions = ['mean', 'max', 'min'] as const;

/** The product of all layers, from the last one down: each step multiplies what is above by one layer's matrix. */
export function rollout(
  layers: readonly TensorLike[],
  options: { headFusion?: (typeof fusions)[number]; residual?: boolean } | undefined,
  run: (request: Request) => NdArray,
): NdArray {
  const { headFusion, residual } = checkKeys('options', options, ['headFusion', 'residual']);
  const fusion = fusions.indexOf(oneOf('options.headFusion', headFusion ?? 'mean', fusions));
  const own = oneOf('options.residual', residual ?? true, [false, true]) ? 1 : 0;
  if (!isArrayLike(layers) || layers.length === 0) throw invalid('layers', layers, 'an array of at least one tensor');
  const operands = Array.from(layers as readonly TensorLike[], (layer, l) => operand(`layers[${l}]`, layer));
  let above: NdArray | undefined;
  for (let l = operands.length - 1; l >= 0; l--) {
    const upper = above && operand('above', above);
    try {
      above = run({ operands: [operands[l], upper], run: (core) => core.rolloutStep(fusion, own) });
    } catch (error) {
      throw withIndex(error, l);
    }
  }
  return above as NdArray;
}

/** The core knows one layer at a time. */
function withIndex(error: unknown, layer: number): unknown {
  if (!(error instanceof AttentionError) || error.argument !== 'layers') return error;
  return new AttentionError(error.code, `layers[${layer}]`, error.message.slice('layers: '.length));
}
