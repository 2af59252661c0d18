import { checkKeys, oneOf } from './arguments.js';
import { attendProjected } from './attend.js';
import { bindMethods } from './bound.js';
import type { Engine, Results } from './engine.js';
import { AttentionError, invalid, refused } from './errors.js';
import { ResidentCache } from './kv-cache.js';
import { type Operand, operand, weightOperand } from './operand.js';
import { optionKeys } from './rules.js';
import { type HeadSizes, type Keep, type Kept, loadStateDict, sizesOf } from './state-dict.js';
import { makeDisposable } from './tensor.js';
import type {
  AttentionOptions,
  AttentionResult,
  MultiHeadAttention,
  MultiHeadConfig,
  MultiHeadExtras,
  NdArray,
  TensorLike,
} from './types.js';

const extraKeys = ['averageWeights', 'cache'] as const;

export function multiHead(
  engine: Engine,
  config: MultiHeadConfig,
  weights: Readonly<Record<string, TensorLike>>,
  keep: Keep,
): MultiHeadAttention {
  const sizes = sizesOf(config);
  return new MultiHead(engine, sizes, loadStateDict(engine, sizes, weights, keep)) as unknown as MultiHeadAttention;
}

/** Projections in an engine's memory, in the order attendProjected takes them. */
class MultiHead {
  readonly #engine: Engine;
  readonly #sizes: HeadSizes;
  #weights: readonly (Kept | undefined)[] | undefined;

  constructor(engine: Engine, sizes: HeadSizes, weights: readonly (Kept | undefined)[]) {
    this.#engine = engine;
    this.#sizes = sizes;
    this.#weights = weights;
    bindMethods(this);
  }

  dispose(): void {
    for (const tensor of this.#weights ?? []) tensor?.dispose();
    this.#weights = undefined;
  }

  /** forward(query, options?) or forward(query, key, value?, options?). */
  forward(query: TensorLike, ...rest: unknown[]): AttentionResult {
    const weights = this.#weights;
    if (weights === undefined) throw new AttentionError('DISPOSED', undefined, 'this layer was disposed');
    const [key, value, given] = rest.length === 1 && !isTensorLike(rest[0]) ? [undefined, undefined, rest[0]] : rest;
    const { averageWeights, cache, options } = this.#read(given);
    const { embedDim, kdim, vdim } = this.#sizes;
    const x = source('query', query, embedDim);
    const keys = key === undefined ? x : source('key', key, kdim, x);
    const values = value === undefined ? keys : source('value', value, vdim, x);
    if (key === undefined && kdim !== embedDim) throw invalid('key', key, `a tensor of kdim = ${kdim}`);
    if (value === undefined && vdim !== keys.shape.at(-1)) throw invalid('value', value, `a tensor of vdim = ${vdim}`);
    if (values.shape.at(-2) !== keys.shape.at(-2)) {
      throw mismatch(values, `the key's length ${keys.shape.at(-2)}`);
    }
    const projections = weights.map((tensor) => tensor && weightOperand('weights', tensor));
    return attendProjected(
      this.#engine,
      { x, key: keys, value: values },
      projections,
      options,
      averageWeights ? averageHeads : undefined,
      cache,
    );
  }

  #read(given: unknown): {
    averageWeights: boolean;
    cache: ResidentCache | undefined;
    options: AttentionOptions;
  } {
    const known = [...optionKeys, ...extraKeys];
    const { averageWeights, cache, ...options } = checkKeys(
      'options',
      given as (AttentionOptions & MultiHeadExtras) | undefined,
      known,
    );
    if (cache !== undefined && !(cache instanceof ResidentCache)) {
      throw invalid('options.cache', cache, 'a cache of kvCache()');
    }
    const { numHeads, numKvHeads } = this.#sizes;
    for (const [name, own] of Object.entries({ numHeads, numKvHeads })) {
      const asked = options[name as 'numHeads' | 'numKvHeads'];
      if (asked !== undefined && asked !== own) throw refused(`options.${name}`, String(asked), `the layer's ${own}`);
    }
    const average = oneOf('options.averageWeights', averageWeights ?? false, [false, true]);
    if (average && (options.weights ?? false) === false) {
      throw refused('options.averageWeights', 'it without weights', 'options.weights beside it');
    }
    return { averageWeights: average, cache, options: { ...options, numHeads, numKvHeads } };
  }
}

makeDisposable(MultiHead);

function isTensorLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'data' in value;
}

/** An input [B,S,size] or [S,size], of the query's rank and batch. */
export function source(argument: string, value: unknown, size: number, query?: Operand): Operand {
  const from = operand(argument, value);
  const { shape } = from;
  const rank = query?.shape.length ?? shape.length;
  if ((rank !== 2 && rank !== 3) || shape.length !== rank || shape.at(-1) !== size) {
    throw mismatch(from, query ? `rank ${rank} with a last axis of ${size}` : `[B,S,${size}] or [S,${size}]`);
  }
  if (query && rank === 3 && shape[0] !== query.shape[0]) throw mismatch(from, `a batch of ${query.shape[0]}`);
  if (from.dtype === 'float32' || from.dtype === 'float16') return from;
  throw new AttentionError('UNSUPPORTED_DTYPE', argument, `got ${from.given}, wanted float32 or float16`);
}

function mismatch({ argument, shape }: Operand, wanted: string): AttentionError {
  return new AttentionError('SHAPE_MISMATCH', argument, `got shape [${shape}], wanted ${wanted}`);
}

/** [B,H,Sq,Skv] → [B,Sq,Skv]. */
function averageHeads(results: Results): NdArray {
  const { view, shape } = results.view(1);
  const [batch, heads, queries, keys] = shape as [number, number, number, number];
  const pairs = queries * keys;
  const data = new Float32Array(batch * pairs);
  for (let b = 0; b < batch; b++) {
    for (let pair = 0; pair < pairs; pair++) {
      let sum = 0;
      for (let h = 0; h < heads; h++) sum += view[(b * heads + h) * pairs + pair] as number;
      data[b * pairs + pair] = sum / heads;
    }
  }
  const dims = [batch, queries, keys];
  return { data, shape: dims, dims };
}
