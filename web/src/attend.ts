import { checkKeys } from './arguments.js';
import type { Core } from './attention-module.js';
import { type CallShape, shapeOfSources } from './call-shape.js';
import type { Engine, Request, Results } from './engine.js';
import type { Operand } from './operand.js';
import { extrasOf, optionKeys, type Rules, readRules } from './rules.js';
import type { AttentionOptions, AttentionResult, NdArray } from './types.js';

/** One call of an attention function of the core. */
export interface AttentionRequest {
  /** Behind those of the rules. */
  operands: readonly (Operand | undefined)[];
  shape: () => CallShape | undefined;
  run: (core: Core) => number;
  /** How weights are given back: as they are, by default. */
  weights?: (results: Results) => NdArray;
}

/** `options` were checked for unknown keys. */
export function attend(engine: Engine, request: AttentionRequest, options: AttentionOptions): AttentionResult {
  const extras = extrasOf(options);
  const rules = readRules(options, request.shape, extras);
  const { weights = (results: Results) => results.copy(1) } = request;
  return engine.call(
    { ...withRules(rules, request.operands), out: options.out, run: request.run },
    (results) =>
      ({
        output: results.output(),
        weights: extras.stage === undefined ? undefined : weights(results),
        logSumExp: extras.logSumExp ? results.copy(2) : undefined,
      }) as AttentionResult,
  );
}

/** A call's own operands and integers follow those of the rules. */
export function withRules(
  rules: Rules,
  operands: readonly (Operand | undefined)[],
  integers: readonly number[] = [],
): Pick<Request, 'operands' | 'integers' | 'numbers'> {
  return {
    operands: [...rules.operands, ...operands],
    integers: [...rules.integers, ...integers],
    numbers: rules.numbers,
  };
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
  weights?: AttentionRequest['weights'],
): AttentionResult {
  const options = checkKeys('options', given, optionKeys);
  const operands = [x, key, value, ...projections];
  const shape = () => shapeOfSources(x, key ?? x, options.numHeads);
  const run = (core: Core) => core.projectedAttention();
  return attend(engine, { operands, shape, run, ...(weights && { weights }) }, options);
}
