import { checkKeys, finite, integer, oneOf } from './arguments.js';
import { invalid } from './errors.js';
import { integerOperand, type Operand, operand } from './operand.js';
import type { AttentionOptions, Stage, TensorLike } from './types.js';

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
/** The largest float32. */
const largest = 3.4028234663852886e38;
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
      ifGiven(options.mask, maskOperand),
      ifGiven(options.attentionMask, (mask) => operand('options.attentionMask', mask)),
      sharedOffset ? undefined : ifGiven(queryOffset, (offsets) => integerOperand('options.queryOffset', offsets)),
      ifGiven(options.kvLengths, (lengths) => integerOperand('options.kvLengths', lengths)),
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
    scale: options.scale === undefined ? Number.NaN : scaleOf(options.scale),
    wantsWeights: stage !== undefined,
    wantsLogSumExp: logSumExp,
  };
}

/** A finite value never masks: one beyond float32 becomes the nearest float instead of an infinity. */
function maskOperand(mask: TensorLike): Operand {
  const from = operand('options.mask', mask);
  if (!(from.values instanceof Float64Array)) return from;
  const nearest = (value: number) =>
    Math.abs(value) === Infinity ? value : Math.min(Math.max(value, -largest), largest);
  return { ...from, values: Float32Array.from(from.values, nearest) };
}

function stageOf(weights: boolean | Stage | undefined): Stage | undefined {
  if (weights === undefined || weights === false) return undefined;
  if (weights === true) return 'probabilities';
  return oneOf('options.weights', weights, stages);
}

function scaleOf(scale: number): number {
  if (Math.abs(finite('options.scale', scale)) > largest) throw invalid('options.scale', scale, 'a finite float32');
  return scale;
}

function optionalCount(argument: string, value: number | undefined): number {
  return value === undefined ? 0 : integer(argument, value, 1);
}

function ifGiven<T, R>(value: T | undefined, read: (value: T) => R): R | undefined {
  return value === undefined ? undefined : read(value);
}
