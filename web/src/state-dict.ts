import { checkKeys, integer } from './arguments.js';
import { AttentionError, invalid, refused } from './errors.js';
import { type Operand, operand } from './operand.js';
import { ResidentTensor } from './tensor.js';
import type { MultiHeadConfig, TensorLike } from './types.js';

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
 * A state dict as resident float32 tensors: query, key, value, output, and the biases of each. Nothing stays behind where
 * one of them is refused.
 */
export function loadStateDict(
  sizes: HeadSizes,
  weights: Readonly<Record<string, TensorLike>>,
  resident: (data: TensorLike) => ResidentTensor,
): (ResidentTensor | undefined)[] {
  if (weights === undefined) throw invalid('weights', weights, 'an object');
  checkKeys('weights', weights, names);
  const parts = partsOf(sizes, weights);
  const tensors: (ResidentTensor | undefined)[] = [];
  try {
    for (const part of parts) tensors.push(part && resident(part));
    return tensors;
  } catch (error) {
    for (const tensor of tensors) tensor?.dispose();
    throw error;
  }
}

/** Plain tensors: query, key, value, output, queryBias, keyBias, valueBias, outputBias. */
function partsOf(
  { embedDim, numHeads, numKvHeads, kdim, vdim }: HeadSizes,
  weights: Readonly<Record<string, TensorLike>>,
): (TensorLike | undefined)[] {
  const kvRows = (embedDim / numHeads) * numKvHeads;
  const rows = [embedDim, kvRows, kvRows];
  const all = embedDim + 2 * kvRows;
  const [q, k, v] = projections();
  const inBias = weights[bias] && check(bias, weights[bias], [all]);
  return [
    q,
    k,
    v,
    plain(check(output, weights[output], [embedDim, embedDim])),
    ...(inBias ? split(inBias) : [undefined, undefined, undefined]),
    weights[outputBias] && plain(check(outputBias, weights[outputBias], [embedDim])),
  ];

  function projections(): TensorLike[] {
    if (weights[packed] === undefined) {
      return separate.map((name, i) => {
        const columns = [embedDim, kdim, vdim][i] as number;
        return plain(check(name, weights[name], [rows[i] as number, columns]));
      });
    }
    for (const name of separate) {
      if (weights[name] !== undefined) throw refused(`weights.${name}`, `it beside ${packed}`, 'one or the other');
    }
    if (kdim !== embedDim || vdim !== embedDim) {
      throw refused(`weights.${packed}`, 'it with a kdim or vdim of its own', separate.join(', '));
    }
    return split(check(packed, weights[packed], [all, embedDim]));
  }

  /** Rows of query, key and value. */
  function split(from: Operand): TensorLike[] {
    const width = from.shape.length === 2 ? embedDim : 1;
    const values = valuesOf(from);
    let start = 0;
    return rows.map((count) => {
      const part = values.subarray(start * width, (start + count) * width);
      start += count;
      const shape = from.shape.length === 2 ? [count, width] : [count];
      return { data: part, shape, dtype: from.dtype } as TensorLike;
    });
  }
}

function check(name: string, value: TensorLike | undefined, wanted: readonly number[]): Operand {
  const argument = `weights.${name}`;
  const from = operand(argument, value);
  if (from.dtype !== 'float32' && from.dtype !== 'float16') {
    throw new AttentionError('UNSUPPORTED_DTYPE', argument, `got ${from.given}, wanted float32 or float16`);
  }
  if (String(from.shape) === String(wanted)) return from;
  throw new AttentionError('SHAPE_MISMATCH', argument, `got shape [${from.shape}], wanted [${wanted}]`);
}

function plain(from: Operand): TensorLike {
  return { data: valuesOf(from), shape: from.shape, dtype: from.dtype } as TensorLike;
}

function valuesOf({ values }: Operand): Float32Array | Uint16Array {
  return (values instanceof ResidentTensor ? values.data : values) as Float32Array | Uint16Array;
}
