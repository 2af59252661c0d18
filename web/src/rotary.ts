import { checkKeys, finite, integer, oneOf } from './arguments.js';
import type { Request } from './engine.js';
import { invalid, refused } from './errors.js';
import { integerOperand, operand, optionalOperand } from './operand.js';
import { headIntegers, ruleIntegers } from './rules.js';
import type { Out, RopeScaling, RotaryOptions, TensorLike } from './types.js';

/** The numbers of RopeScaling of cpp/include/attention/layers.hpp, in its order. */
const order = [
  'factor',
  'originalContext',
  'lowFreqFactor',
  'highFreqFactor',
  'betaFast',
  'betaSlow',
  'attentionFactor',
] as const;
export type ScalingNumber = (typeof order)[number];

/** What a number must be above: 0, or an earlier field; without a default, it must be given unless optional. */
interface Field {
  name: ScalingNumber;
  above?: ScalingNumber;
  default?: number;
  optional?: true;
}

/** What each type of scaling is made of. RopeScaling::Type of cpp/include/attention/layers.hpp, in its order; none comes first. */
export const scalings: Record<RopeScaling['type'], readonly Field[]> = {
  linear: [{ name: 'factor' }],
  llama3: [
    { name: 'factor' },
    { name: 'originalContext' },
    { name: 'lowFreqFactor' },
    { name: 'highFreqFactor', above: 'lowFreqFactor' },
  ],
  yarn: [
    { name: 'factor' },
    { name: 'originalContext' },
    { name: 'betaSlow', default: 1 },
    { name: 'betaFast', above: 'betaSlow', default: 32 },
    // Peng et al. 2023, 3.4: where it is absent, the core takes it from the logarithm of factor.
    { name: 'attentionFactor', optional: true },
  ],
};
const types = Object.keys(scalings) as RopeScaling['type'][];

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
  const { type, numbers } = readScaling('options.scaling', scaling);
  const input = operand('x', x);
  return {
    operands: [
      input,
      positions === undefined ? undefined : integerOperand('options.positions', positions),
      optionalOperand('options.cos', cos),
      optionalOperand('options.sin', sin),
    ],
    // The places of the attention rules that do not apply are empty.
    integers: [layout, numHeads, ...Array<number>(ruleIntegers - 2).fill(0), dims, interleaved ? 1 : 0, type],
    numbers: [readBase('options.base', options.base ?? 10000, scaling?.type), ...numbers],
    out: options.out,
    onto: [input],
    run: (core) => core.rotaryEmbedding(),
  };
}

/** Numbers that the type does not have are 0. */
export function readScaling(argument: string, scaling: RopeScaling | undefined): { type: number; numbers: number[] } {
  if (scaling === undefined) return { type: 0, numbers: order.map(() => 0) };
  if (typeof scaling !== 'object') throw invalid(argument, scaling, 'an object');
  const type = oneOf(`${argument}.type`, scaling.type, types);
  const fields = scalings[type];
  const given: Partial<Record<ScalingNumber, number>> = checkKeys(argument, scaling, [
    'type',
    ...fields.map(({ name }) => name),
  ]);
  const read: Partial<Record<ScalingNumber, number>> = {};
  for (const { name, above: limit, default: standard, optional } of fields) {
    const value = given[name] ?? standard;
    if (value === undefined && optional) continue;
    read[name] = above(`${argument}.${name}`, value, limit ? (read[limit] as number) : 0);
  }
  return { type: 1 + types.indexOf(type), numbers: order.map((name) => read[name] ?? 0) };
}

/** YaRN divides by the base's logarithm. */
export const readBase = (argument: string, base: number, type: RopeScaling['type'] | undefined): number =>
  above(argument, base, type === 'yarn' ? 1 : 0);

function above(argument: string, value: number | undefined, limit: number): number {
  const number = finite(argument, value);
  if (number <= limit) throw invalid(argument, value, `above ${limit}`);
  return number;
}
