import { finite, integer, integers, isArrayLike, oneOf } from './arguments.js';
import { invalid } from './errors.js';
import { isMask, refuseUnbuilt } from './masks/index.js';
import { integerOperand, type Operand, operand } from './operand.js';
import type { AttentionOptions, AttentionRules, Stage, TensorLike } from './types.js';

export const ruleKeys = [
  'layout',
  'numHeads',
  'numKvHeads',
  'scale',
  'causal',
  'window',
  'queryOffset',
  'mask',
  'attentionMask',
  'softcap',
  'alibi',
  'sinks',
  'kvLengths',
  'keyScales',
  'valueScales',
] as const;
export const optionKeys = [...ruleKeys, 'weights', 'logSumExp', 'out'] as const;

const layouts = ['BHSD', 'BSHD'] as const;
const causals = [false, true, 'upper-left', 'lower-right'] as const;
/** The largest float32. */
const largest = 3.4028234663852886e38;
const stages = ['scores', 'softcapped', 'biased', 'probabilities'] as const;

/** Slot of cpp/bindings/call.hpp, in its order: the first input slots. */
const slots = [
  'mask',
  'attentionMask',
  'queryOffset',
  'kvLengths',
  'blockMap',
  'alibi',
  'sinks',
  'keyScales',
  'valueScales',
] as const;
/** Integer of cpp/bindings/call.hpp, in its order. */
const places = [
  'layout',
  'numHeads',
  'numKvHeads',
  'causal',
  'stage',
  'logSumExp',
  'hasOffset',
  'offset',
  'windowLeft',
  'windowRight',
  'alibi',
] as const;

export const ruleSlots = slots.length;
export const ruleIntegers = places.length;
export const blockMapSlot = slots.indexOf('blockMap');

/** As many values as names. */
type Each<Names extends readonly string[], Value> = { [I in keyof Names]: Value };

/** Attention options as the core takes them: one operand for each slot, one integer for each place. */
export interface Rules {
  operands: Each<typeof slots, Operand | undefined>;
  integers: Each<typeof places, number>;
  /** scale, softcap. */
  numbers: number[];
}

/** What a call gives beside its output. */
export interface Extras {
  stage: Stage | undefined;
  logSumExp: boolean;
}

export const noExtras: Extras = { stage: undefined, logSumExp: false };

export function extrasOf(options: Pick<AttentionOptions, 'weights' | 'logSumExp'>): Extras {
  return {
    stage: stageOf(options.weights),
    logSumExp: oneOf('options.logSumExp', options.logSumExp ?? false, [false, true]),
  };
}

/** `options` were checked for unknown keys. The place of the block map is left empty: compiling one may call back. */
export function readRules(options: AttentionRules, extras: Extras): Rules {
  const { queryOffset, mask, alibi } = options;
  const sharedOffset = typeof queryOffset === 'number';
  const [left, right] = windowOf(options.window);
  const { layout, numHeads, numKvHeads } = headIntegers(options);
  return {
    operands: [
      mask === undefined || isMask(mask) ? undefined : maskOperand(mask),
      ifGiven(options.attentionMask, (given) => operand('options.attentionMask', given)),
      sharedOffset ? undefined : ifGiven(queryOffset, (offsets) => integerOperand('options.queryOffset', offsets)),
      ifGiven(options.kvLengths, (lengths) => integerOperand('options.kvLengths', lengths)),
      undefined,
      typeof alibi === 'boolean' ? undefined : ifGiven(alibi, (slopes) => operand('options.alibi', slopes)),
      ifGiven(options.sinks, (sinks) => operand('options.sinks', sinks)),
      ifGiven(options.keyScales, (scales) => operand('options.keyScales', scales)),
      ifGiven(options.valueScales, (scales) => operand('options.valueScales', scales)),
    ],
    integers: [
      layout,
      numHeads,
      numKvHeads,
      causals.indexOf(oneOf('options.causal', options.causal ?? false, causals)),
      extras.stage === undefined ? 0 : 1 + stages.indexOf(extras.stage),
      extras.logSumExp ? 1 : 0,
      sharedOffset ? 1 : 0,
      sharedOffset ? integer('options.queryOffset', queryOffset, -0x80000000) : 0,
      left,
      right,
      alibi === true ? 1 : 0,
    ],
    // An absent scale is the core's default.
    numbers: [
      options.scale === undefined ? Number.NaN : float('options.scale', options.scale),
      softcapOf(options.softcap),
    ],
  };
}

/** What says how heads lie in memory, as the core takes it. */
export function headIntegers(options: Pick<AttentionRules, 'layout' | 'numHeads' | 'numKvHeads'>) {
  return {
    layout: layouts.indexOf(oneOf('options.layout', options.layout ?? 'BHSD', layouts)),
    numHeads: optionalCount('options.numHeads', options.numHeads),
    numKvHeads: optionalCount('options.numKvHeads', options.numKvHeads),
  };
}

/** A finite value never masks: one beyond float32 becomes the nearest float instead of an infinity. */
function maskOperand(mask: TensorLike): Operand {
  refuseUnbuilt('options.mask', mask);
  const from = operand('options.mask', mask);
  if (!(from.values instanceof Float64Array)) return from;
  const nearest = (value: number) => (Number.isFinite(value) ? Math.min(Math.max(value, -largest), largest) : value);
  return { ...from, values: from.values.map(nearest) };
}

function stageOf(weights: boolean | Stage | undefined): Stage | undefined {
  if (weights === undefined || weights === false) return undefined;
  if (weights === true) return 'probabilities';
  return oneOf('options.weights', weights, stages);
}

function windowOf(window: AttentionRules['window']): [number, number] {
  if (window === undefined) return [-1, -1];
  const sides = isArrayLike(window) ? integers('options.window', window, -1) : [];
  if (sides.length !== 2) throw invalid('options.window', window, '[left, right], integers from -1');
  return [...sides] as [number, number];
}

function softcapOf(softcap: number | undefined): number {
  if (softcap === undefined) return 0;
  const cap = float('options.softcap', softcap);
  if (cap < 0 || (cap > 0 && Math.fround(cap) === 0))
    throw invalid('options.softcap', softcap, 'a float32 of at least 0');
  return cap;
}

function float(argument: string, value: number): number {
  if (Math.abs(finite(argument, value)) > largest) throw invalid(argument, value, 'a finite float32');
  return value;
}

function optionalCount(argument: string, value: number | undefined): number {
  return value === undefined ? 0 : integer(argument, value, 1);
}

function ifGiven<T, R>(value: T | undefined, read: (value: T) => R): R | undefined {
  return value === undefined ? undefined : read(value);
}
