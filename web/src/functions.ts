import { checkKeys, oneOf } from './arguments.js';
import { attend, attendFor, attendProjected } from './attend.js';
import type { Core } from './attention-module.js';
import { shapeOfHeads, shapeOfPacked } from './call-shape.js';
import { describe, refused } from './errors.js';
import { Layers } from './layers.js';
import { mapIntegers, mapKeys } from './map-options.js';
import { integerOperand, named, type Operand, operand, optionalOperand } from './operand.js';
import { noExtras, optionKeys, ruleKeys } from './rules.js';
import type {
  AttentionMapOptions,
  AttentionOptions,
  AttentionResult,
  Integers,
  LinearAttentionOptions,
  LinearWeight,
  NdArray,
  ProjectionWeights,
  TensorLike,
} from './types.js';

type Projections = ProjectionWeights<TensorLike | LinearWeight>;

/** FeatureMap of cpp/include/attention/attention.hpp, in its order. */
const featureMaps = ['elu+1', 'relu'] as const;
const linearKeys = ['causal', 'featureMap', 'layout', 'numHeads', 'numKvHeads'] as const;

/** Every function with a result over one engine: arguments become operands, and one call of the core does the work. */
export class Functions extends Layers {
  scaledDotProductAttention(q: TensorLike, k: TensorLike, v: TensorLike, given?: AttentionOptions): AttentionResult {
    const options = checkKeys('options', given, optionKeys);
    const [query, key] = [operand('q', q), operand('k', k)];
    const operands = [query, key, operand('v', v)];
    return attend(
      this.engine,
      { operands, shape: () => shapeOfHeads(query, key, options), keep: this.keep, run: (core) => core.attention() },
      options,
    );
  }

  variableLengthAttention(
    q: TensorLike,
    k: TensorLike,
    v: TensorLike,
    given: AttentionOptions<false> & { cuSeqlensQ: Integers; cuSeqlensKv: Integers },
  ): AttentionResult {
    const options = checkKeys('options', given, [...optionKeys, 'cuSeqlensQ', 'cuSeqlensKv']);
    for (const name of ['layout', 'weights'] as const) {
      if (options[name] === undefined || options[name] === false) continue;
      throw refused(`options.${name}`, describe(options[name]), 'none: sequences are packed [T,H,D]');
    }
    const [query, key] = [operand('q', q), operand('k', k)];
    const queryStarts = integerOperand('options.cuSeqlensQ', options.cuSeqlensQ);
    const keyStarts = integerOperand('options.cuSeqlensKv', options.cuSeqlensKv);
    const operands = [query, key, operand('v', v), queryStarts, keyStarts];
    const shape = () => shapeOfPacked(query, key, queryStarts.values as Int32Array, keyStarts.values as Int32Array);
    const run = (core: Core) => core.variableLengthAttention();
    return attend(this.engine, { operands, shape, keep: this.keep, run }, options);
  }

  selfAttention(x: TensorLike, projections: Projections, options?: AttentionOptions): AttentionResult {
    return attendProjected(
      this.engine,
      { x: operand('x', x), keep: this.keep },
      projectionOperands(projections),
      options,
    );
  }

  crossAttention(
    x: TensorLike,
    context: TensorLike,
    projections: Projections,
    options?: AttentionOptions,
  ): AttentionResult {
    const sources = { x: operand('x', x), key: operand('context', context), keep: this.keep };
    return attendProjected(this.engine, sources, projectionOperands(projections), options);
  }

  linearAttention(q: TensorLike, k: TensorLike, v: TensorLike, given?: LinearAttentionOptions): { output: NdArray } {
    const { featureMap, ...options } = checkKeys('options', given, linearKeys);
    const causal = oneOf('options.causal', options.causal ?? false, [false, true]);
    const features = featureMaps.indexOf(oneOf('options.featureMap', featureMap ?? 'elu+1', featureMaps));
    const request = {
      operands: [operand('q', q), operand('k', k), operand('v', v)],
      integers: () => [features],
      shape: () => undefined,
      keep: this.keep,
      run: (core: Core) => core.linearAttention(),
    };
    return attendFor(this.engine, request, { ...options, causal }, noExtras, (results) => ({
      output: results.copy(0),
    }));
  }

  attentionMap(q: TensorLike, k: TensorLike, given?: AttentionMapOptions): NdArray {
    const options = checkKeys('options', given, [...ruleKeys, ...mapKeys]);
    const [query, key] = [operand('q', q), operand('k', k)];
    const map = mapIntegers(options);
    const request = {
      operands: [query, key, optionalOperand('options.logSumExp', options.logSumExp)],
      integers: () => map,
      shape: () => shapeOfHeads(query, key, options),
      keep: this.keep,
      run: (core: Core) => core.attentionMap(),
    };
    return attendFor(this.engine, request, options, noExtras, (results) => results.copy(0));
  }
}

function projectionOperands(projections: Projections): (Operand | undefined)[] {
  return named(
    'projections',
    projections,
    ['query', 'key', 'value'],
    ['output', 'queryBias', 'keyBias', 'valueBias', 'outputBias'],
  );
}
