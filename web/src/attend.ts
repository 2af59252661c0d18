import { checkKeys } from './arguments.js';
import type { Core } from './attention-module.js';
import { type CallShape, extentsOf, shapeOfSources } from './call-shape.js';
import type { Engine, Keep, Results } from './engine.js';
import type { ResidentCache } from './kv-cache.js';
import { blockMap, isMask } from './masks/index.js';
import type { Operand } from './operand.js';
import { blockMapSlot, type Extras, extrasOf, optionKeys, readRules } from './rules.js';
import type { AttentionOptions, AttentionResult, AttentionRules, Mask, NdArray } from './types.js';

/** One call of an attention function of the core. */
export interface AttentionRequest {
  /** Behind those of the rules. */
  operands: readonly (Operand | undefined)[];
  /** Behind those of the rules; asked for once no code of the caller's runs any more. */
  integers?: () => readonly number[];
  /** What a mask rule is compiled for. */
  shape: () => CallShape | undefined;
  /** As that of Request. */
  keep?: Keep | undefined;
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
  const rules = readRules(options, extras);
  let operands: (Operand | Promise<Operand> | undefined)[] = [...rules.operands, ...request.operands];
  if (isMask(options.mask)) {
    // A rule may call functions that make memory grow, and views of it are lost then.
    operands = operands.map((one) => one && engine.detached(one as Operand));
    const words: unknown = blockMapFor(options.mask, options, request.shape());
    // A promise where the rule is another thread's (worker/distant-mask.ts).
    operands[blockMapSlot] =
      words instanceof Promise ? words.then(blockMapOperand) : blockMapOperand(words as Int32Array);
  }
  return engine.call(
    {
      operands,
      integers: [...rules.integers, ...(request.integers?.() ?? [])],
      numbers: rules.numbers,
      out: options.out,
      keep: request.keep,
      isLong: true,
      run: request.run,
    },
    read,
  );
}

/** Sizes that contradict each other compile to nothing, and the core, which looks at the mask last, says why. */
function blockMapFor(mask: Mask, options: AttentionRules, shape: CallShape | undefined): Int32Array {
  const extents = shape && extentsOf(shape, options);
  return extents && shape ? blockMap(mask, extents, shape.heads) : new Int32Array(0);
}

function blockMapOperand(words: Int32Array): Operand {
  return { argument: 'options.mask', shape: [words.length], dtype: 'int32', given: 'int32', values: words };
}

/** What the three projections read, the key x by default and the value the key; and how results are kept. */
export interface Sources {
  x: Operand;
  key?: Operand;
  value?: Operand;
  keep?: Keep | undefined;
}

/** Attention between projections: query, key, value, then what is optional, as ProjectionWeights has them. */
export function attendProjected(
  engine: Engine,
  { x, key, value, keep }: Sources,
  projections: readonly (Operand | undefined)[],
  given: AttentionOptions | undefined,
  weights?: (results: Results) => NdArray,
  cache?: ResidentCache,
): AttentionResult {
  const options = checkKeys('options', given, optionKeys);
  const operands = [x, key, value, ...projections];
  const held = cache?.heldFor(engine, 'options.cache');
  const shape = () => shapeOfSources(x, key ?? x, options.numHeads, held?.length);
  const run = (core: Core) => core.projectedAttention();
  const rules = held?.placed(options, true) ?? options;
  const integers = () => [held?.address() ?? 0];
  return attend(engine, { operands, integers, shape, keep, run }, rules, weights);
}
