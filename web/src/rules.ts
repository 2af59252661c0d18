import { checkKeys, finite, integer, oneOf } from './arguments.js';
import { integerOperand, type Operand, optionalOperand } from './operand.js';
import type { AttentionOptions, Stage } from './types.js';

const known = [
  'layout',
  'numHeads',
  'numKvHeads',
  'scale',
  'causal',
  'queryOffset',
  'mask',
  'attentionMask',
  'kvLengths',
  'weights',
  'logSumExp',
  'out',
] as const;
const later = ['window', 'softcap', 'alibi', 'sinks'];

const layouts = ['BHSD', 'BSHD'] as const;
const causals = [false, true, 'upper-left', 'lower-right'] as const;
const lowest = -3.4028234663852886e38;
const stages = ['scores', 'softcapped', 'biased', 'probabilities'] as const;

/** Attention options as the core takes them. */
export interface Rules {
  /** mask, attentionMask, queryOffset, kvLengths: the first four input slots. */
  operands: (Operand | undefined)[];
  integers: number[];
  scale: number;
  wantsWeights: boolean;
  wantsLogSumExp: boolean;
}

export function attentionRules(given: AttentionOptions | undefined): Rules {
  const options = checkKeys('options', given, known, later);
  const { queryOffset } = options;
  const sharedOffset = typeof queryOffset === 'number';
  const stage = stageOf(options.weights);
  const logSumExp = oneOf('options.logSumExp', options.logSumExp ?? false, [false, true]);
  return {
    operands: [
      maskOperand(options.mask),
      optionalOperand('options.attentionMask', options.attentionMask),
      sharedOffset ? undefined : optionalIntegers('options.queryOffset', queryOffset),
      optionalIntegers('options.kvLengths', options.kvLengths),
    ],
    integers: [
      layouts.indexOf(oneOf('options.layout', options.layout ?? 'BHSD', layouts)),
      optionalCount('options.numHeads', options.numHeads),
      optionalCount('options.numKvHeads', options.numKvHeads),
      causals.indexOf(oneOf('options.causal', options.causal ?? false, causals)),
      stage === undefined ? 0 : 1 + stages.indexOf(stage),
      logSumExp ? 1 : 0,
      sharedOffset ? 1 : 0,
      sharedOffset ? integer('options.queryOffset', queryOffset, -0x80000000) : 0,
    ],
    // Absent: the core's default.
    scale: options.scale === undefined ? Number.NaN : finite('options.scale', options.scale),
    wantsWeights: stage !== undefined,
    wantsLogSumExp: logSumExp,
  };
}

/** A finite value never masks: one beyond float32 becomes the lowest float instead of -Infinity. */
function maskOperand(mask: AttentionOptions['mask']): Operand | undefined {
  const operand = optionalOperand('options.mask', mask);
  if (!(operand?.values instanceof Float64Array)) return operand;
  const values = Float32Array.from(operand.values, (value) => (value === -Infinity ? value : Math.max(value, lowest)));
  return { ...operand, values };
}

function stageOf(weights: boolean | Stage | undefined): Stage | undefined {
  if (weights === undefined || weights === false) return undefined;
  if (weights === true) return 'probabilities';
  return oneOf('options.weights', weights, stages);
}

function optionalCount(argument: string, value: number | undefined): number {
  return value === undefined ? 0 : integer(argument, value, 1);
}

function optionalIntegers(argument: string, value: unknown): Operand | undefined {
  return value === undefined ? undefined : integerOperand(argument, value);
}
