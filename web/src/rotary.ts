import { checkKeys, finite, integer, oneOf } from './arguments.js';
import type { Request } from './engine.js';
import { invalid, refused } from './errors.js';
import { integerOperand, operand, optionalOperand } from './operand.js';
import { headIntegers } from './rules.js';
import type { Out, RopeScaling, RotaryOptions, TensorLike } from './types.js';

/** RopeScaling::Type of cpp/include/attention/layers.hpp, in its order; none comes first. */
const types = ['linear', 'llama3', 'yarn'] as const;

/** The call of a rotary embedding. */
export function rotaryRequest<O extends Out | undefined>(x: TensorLike, given: RotaryOptions<O> | undefined): Request {
  const options = checkKeys('options', given, [
    'layout',
    'numHeads',
    'positions',
    'base',
    'dims',
    'interleaved',
    'cos',
    'sin',
    'scaling',
    'out',
  ]);
  const { positions, cos, sin, scaling } = options;
  for (const name of ['base', 'scaling'] as const) {
    if ((cos ?? sin) === undefined || options[name] === undefined) continue;
    throw refused(`options.${name}`, 'it beside cos and sin', 'one or the other');
  }
  const { layout, numHeads } = headIntegers(options);
  const dims = options.dims === undefined ? 0 : integer('options.dims', options.dims, 2);
  const interleaved = oneOf('options.interleaved', options.interleaved ?? false, [false, true]);
  const input = operand('x', x);
  return {
    operands: [
      input,
      positions === undefined ? undefined : integerOperand('options.positions', positions),
      optionalOperand('options.cos', cos),
      optionalOperand('options.sin', sin),
    ],
    // The places of the attention rules that do not apply are empty.
    integers: [
      layout,
      numHeads,
      ...Array<number>(9).fill(0),
      dims,
      interleaved ? 1 : 0,
      scaling === undefined ? 0 : 1 + types.indexOf(typeOf(scaling)),
    ],
    numbers: [
      // YaRN divides by the base's logarithm.
      above('options.base', options.base ?? 10000, scaling?.type === 'yarn' ? 1 : 0),
      ...scalingNumbers(scaling),
    ],
    out: options.out,
    onto: input,
    run: (core) => core.rotaryEmbedding(),
  };
}

function typeOf(scaling: RopeScaling): (typeof types)[number] {
  const { type } = checkKeys('options.scaling', scaling, Object.keys(scaling ?? {}));
  return oneOf('options.scaling.type', type, types);
}

/** factor, originalContext, lowFreqFactor, highFreqFactor, betaFast, betaSlow, attentionFactor. */
function scalingNumbers(scaling: RopeScaling | undefined): number[] {
  if (scaling === undefined) return [1, 1, 1, 4, 32, 1, 1];
  const name = 'options.scaling';
  typeOf(scaling);
  const factor = above(`${name}.factor`, scaling.factor, 0);
  if (scaling.type === 'linear') {
    checkKeys(name, scaling, ['type', 'factor']);
    return [factor, 1, 1, 4, 32, 1, 1];
  }
  const context = above(`${name}.originalContext`, scaling.originalContext, 0);
  if (scaling.type === 'llama3') {
    checkKeys(name, scaling, ['type', 'factor', 'originalContext', 'lowFreqFactor', 'highFreqFactor']);
    const low = above(`${name}.lowFreqFactor`, scaling.lowFreqFactor, 0);
    const high = above(`${name}.highFreqFactor`, scaling.highFreqFactor, low);
    return [factor, context, low, high, 32, 1, 1];
  }
  checkKeys(name, scaling, ['type', 'factor', 'originalContext', 'betaFast', 'betaSlow', 'attentionFactor']);
  const slow = above(`${name}.betaSlow`, scaling.betaSlow ?? 1, 0);
  const fast = above(`${name}.betaFast`, scaling.betaFast ?? 32, slow);
  // Peng et al. 2023, 3.4; the logarithm is taken in the core.
  const attention =
    scaling.attentionFactor === undefined ? 0 : above(`${name}.attentionFactor`, scaling.attentionFactor, 0);
  return [factor, context, 1, 4, fast, slow, attention];
}

function above(argument: string, value: number, limit: number): number {
  if (finite(argument, value) <= limit) throw invalid(argument, value, `above ${limit}`);
  return value;
}
