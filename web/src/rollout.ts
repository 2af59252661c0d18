import { checkKeys, isArrayLike, oneOf } from './arguments.js';
import type { Engine, Request } from './engine.js';
import { AttentionError, invalid } from './errors.js';
import { type Operand, operand } from './operand.js';
import type { NdArray, TensorLike } from './types.js';

/** HeadFusion of cpp/include/attention/layers.hpp, in its order. */
const fusions = ['mean', 'max', 'min'] as const;

/** The product of all layers, from the last one down: each step multiplies what is above by one layer's matrix. */
export function rollout(
  layers: readonly TensorLike[],
  options: { headFusion?: (typeof fusions)[number]; residual?: boolean } | undefined,
  engine: Engine,
  run: (request: Request) => NdArray,
): NdArray {
  const { headFusion, residual } = checkKeys('options', options, ['headFusion', 'residual']);
  const fusion = fusions.indexOf(oneOf('options.headFusion', headFusion ?? 'mean', fusions));
  const own = oneOf('options.residual', residual ?? true, [false, true]) ? 1 : 0;
  if (!isArrayLike(layers) || layers.length === 0) throw invalid('layers', layers, 'an array of at least one tensor');
  // Each step may make memory grow, and views of it are lost then.
  const operands = Array.from(layers as readonly TensorLike[], (layer, l) =>
    engine.detached(operand(`layers[${l}]`, layer)),
  );
  checkAlike(operands);
  let above: NdArray | undefined;
  for (let l = operands.length - 1; l >= 0; l--) {
    const upper = above && operand('above', above);
    try {
      const layer = { ...(operands[l] as Operand), argument: 'layers' };
      above = run({ operands: [layer, upper], run: (core) => core.rolloutStep(fusion, own) });
    } catch (error) {
      throw withIndex(error, l);
    }
  }
  return above as NdArray;
}

function checkAlike([first, ...others]: readonly Operand[]): void {
  for (const { argument, shape } of others) {
    if (String(shape) === String(first?.shape)) continue;
    throw new AttentionError('SHAPE_MISMATCH', argument, `got shape [${shape}], wanted layers[0]'s [${first?.shape}]`);
  }
}

/** The core knows one layer at a time. */
function withIndex(error: unknown, layer: number): unknown {
  if (!(error instanceof AttentionError) || error.argument !== 'layers') return error;
  return new AttentionError(error.code, `layers[${layer}]`, error.message.slice('layers: '.length));
}
