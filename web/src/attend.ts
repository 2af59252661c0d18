import { checkKeys } from './arguments.js';
import type { Core } from './attention-module.js';
import { type CallShape, shapeOfSources } from './call-shape.js';
import type { Engine, Results } from './engine.js';
import { isMask } from './masks/index.js';
import type { Operand } from './operand.js';
import { type Extras, extrasOf, optionKeys, readRules } from './rules.js';
import type { AttentionOptions, AttentionResult, AttentionRules, NdArray } from './types.js';

/** One call of an attention function of the core. */
export interface AttentionRequest {
  /** Behind those of the rules. */
  operands: readonly (Operand | undefined)[];
  /** Behind those of the rules. */
  integers?: readonly number[];
  /** What a mask rule is compiled for. */
  shape: () => CallShape | undefined;
  run: (core: Core) => number;
}

/** A call with results beside its output; `options` were checked for unknown keys. */
export function attend(
  engine: Engine,
  request: AttentionRequest,
  options: AttentionOptions,
  weights: (results: Results) => NdArray = (results) => results.copy(1),
): AttentionResult {
  const extras = extrasOf(options);
  return attendFor(
    engine,
    request,
    options,
    extras,
    (results) =>
      ({
        output: results.output(),
        weights: extras.stage === undefined ? undefined : weights(results),
        logSumExp: extras.logSumExp ? results.copy(2) : undefined,
      }) as AttentionResult,
  );
}

/** Any call under attention's rules. */
export function attendFor<R>(
  engine: Engine,
  request: AttentionRequest,
  options: AttentionRules & Pick<AttentionOptions, 'out'>,
  extras: Extras,
  read: (results: Results) => R,
): R {
  const hold = (one: Operand | undefined) => one && engine.detached(one);
  const operands = isMask(options.mask) ? request.operands.map(hold) : request.operands;
  const rules = readRules(options, request.shape, extras);
  return engine.call(
    {
      operands: [...rules.operands, ...operands],
      integers: [...rules.integers, ...(request.integers ?? [])],
      numbers: rules.numbers,
      out: options.out,
      run: request.run,
    },
    read,
  );
}

/** What the three projections read; the key defaults to x, the value to the key. */
export interface Sources {
  x: Operand;
  key?: Operand;
  value?: Operand;
}

/** Attention between projections: query, key, value, then what is optional, as ProjectionWeights has them. */
export function attendProjected(
  engine: Engine,
  { x, key, value }: Sources,
  projections: readonly (Operand | undefined)[],
  given: AttentionOptions | undefined,
  weights?: (results: Results) => NdArray,
): AttentionResult {
  const options = checkKeys('options', given, optionKeys);
  const operands = [x, key, value, ...projections];
  const shape = () => shapeOfSources(x, key ?? x, options.numHeads);
  const run = (core: Core) => core.projectedAttention();
  return attend(engine, { operands, shape, run }, options, weights);
}
