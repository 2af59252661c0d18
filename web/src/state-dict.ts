import { checkKeys, integer } from './arguments.js';
import type { Engine } from './engine.js';
import { AttentionError, invalid, refused } from './errors.js';
import { type Operand, operand } from './operand.js';
import { ResidentTensor } from './tensor.js';
import type { LinearWeight, MultiHeadConfig, Tensor, TensorLike } from './types.js';

export type Kept = LinearWeight | Tensor<'float32'>;
/** How a layer keeps what it is made of. */
export interface Keep {
  weight(data: TensorLike): Kept;
  bias(data: TensorLike): Kept;
}

/** The sizes of a layer, all given. */
export type HeadSizes = Required<MultiHeadConfig>;

/** Names of torch.nn.MultiheadAttention's state dict. */
const packed = 'in_proj_weight';
const separate = ['q_proj_weight', 'k_proj_weight', 'v_proj_weight'] as const;
const bias = 'in_proj_bias';
const output = 'out_proj.weight';
const outputBias = 'out_proj.bias';
const names = [packed, ...separate, bias, output, outputBias];

export function sizesOf(given: MultiHeadConfig): HeadSizes {
  if (given === undefined) throw invalid('config', given, 'an object');
  const config = checkKeys('config', given, ['embedDim', 'numHeads', 'numKvHeads', 'kdim', 'vdim']);
  const embedDim = integer('config.embedDim', config.embedDim, 1);
  const numHeads = integer('config.numHeads', config.numHeads, 1);
  const numKvHeads = integer('config.numKvHeads', config.numKvHeads ?? numHeads, 1);
  if (embedDim % numHeads !== 0) {
    throw refused('config.numHeads', String(numHeads), `a divisor of embedDim = ${embedDim}`);
  }
  if (numHeads % numKvHeads !== 0) {
    throw refused('config.numKvHeads', String(numKvHeads), `a divisor of numHeads = ${numHeads}`);
  }
  const kdim = integer('config.kdim', config.kdim ?? embedDim, 1);
  const vdim = integer('config.vdim', config.vdim ?? embedDim, 1);
  return { embedDim, numHeads, numKvHeads, kdim, vdim };
}

/**
 * A state dict in the engine's memory, as float32: query, key, value, output, and the biases of each. Nothing stays behind where
 * one of them is refused.
 */
export function loadStateDict(
  engine: Engine,
  sizes: HeadSizes,
  weights: Readonly<Record<string, TensorLike>>,
  keep: Keep,
): (Kept | undefined)[] {
  if (weights === undefined) throw invalid('weights', weights, 'an object');
  checkKeys('weights', weights, names);
  const parts = partsOf(engine, sizes, weights);
  const tensors: (Kept | undefined)[] = [];
  try {
    for (const part of parts) tensors.push(part && (part.shape.length === 2 ? keep.weight(part) : keep.bias(part)));
    return tensors;
  } catch (error) {
    for (const tensor of tensors) tensor?.dispose();
    throw error;
  }
}

/** Plain tensors: query, key, value, output, queryBias, keyBias, valueBias, outputBias. */
function partsOf(
  engine: Engine,
  { embedDim, numHeads, numKvHeads, kdim, vdim }: HeadSizes,
  weights: Readonly<Record<string, TensorLike>>,
): (PlainTensor | undefined)[] {
  const kvRows = (embedDim / numHeads) * numKvHeads;
  const rows = [embedDim, kvRows, kvRows];
  const all = embedDim + 2 * kvRows;
  const [q, k, v] = projections();
  return [
    q,
    k,
    v,
    read(output, [embedDim, embedDim]),
    ...(weights[bias] === undefined ? [undefined, undefined, undefined] : split(read(bias, [all]))),
    weights[outputBias] === undefined ? undefined : read(outputBias, [embedDim]),
  ];

  function projections(): PlainTensor[] {
    const given = separate.find((name) => weights[name] !== undefined);
    const hasOwnSizes = kdim !== embedDim || vdim !== embedDim;
    if (weights[packed] === undefined && (given || hasOwnSizes)) {
      const columns = [embedDim, kdim, vdim];
      return separate.map((name, i) => read(name, [rows[i] as number, columns[i] as number]));
    }
    if (given) throw refused(`weights.${given}`, `it beside ${packed}`, 'one or the other');
    if (hasOwnSizes) throw refused(`weights.${packed}`, 'it with a kdim or vdim of its own', separate.join(', '));
    return split(read(packed, [all, embedDim]));
  }

  /** Rows of query, key and value. */
  function split({ data, shape, dtype }: PlainTensor): PlainTensor[] {
    const width = shape.length === 2 ? embedDim : 1;
    let start = 0;
    return rows.map((count) => {
      const part = data.subarray(start * width, (start + count) * width);
      start += count;
      return { data: part, shape: shape.length === 2 ? [count, width] : [count], dtype };
    });
  }

  function read(name: string, wanted: readonly number[]): PlainTensor {
    return plainTensor(engine, weightOf(`weights.${name}`, weights[name], wanted));
  }
}

/** A weight of a state dict, which has one shape. */
export function weightOf(argument: string, value: unknown, wanted: readonly number[]): Operand {
  const from = operand(argument, value);
  if (from.dtype !== 'float32' && from.dtype !== 'float16') {
    throw new AttentionError('UNSUPPORTED_DTYPE', argument, `got ${from.given}, wanted float32 or float16`);
  }
  if (String(from.shape) === String(wanted)) return from;
  throw new AttentionError('SHAPE_MISMATCH', argument, `got shape [${from.shape}], wanted [${wanted}]`);
}

/** With values of its own where they are in the engine's memory: copying the others may make that grow. */
export function plainTensor(engine: Engine, from: Operand): PlainTensor {
  const { values, shape, argument, given } = from;
  const isResident = values instanceof ResidentTensor;
  if (isResident) values.addressIn(engine, argument);
  const data = (isResident ? values.data.slice() : engine.detached(from).values) as PlainTensor['data'];
  return { data, shape, dtype: given as PlainTensor['dtype'] };
}

export interface PlainTensor {
  data: Float32Array | Float64Array | Uint16Array;
  shape: readonly number[];
  dtype: 'float32' | 'float64' | 'float16' | 'bfloat16';
}
