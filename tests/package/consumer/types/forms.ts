// Compiled, never run: masks, packed sequences and layers, as users write them.
import type {
  ArrayTensor,
  Attention,
  AttentionRules,
  Mask,
  MaskShape,
  MultiHeadAttention,
  NdArray,
  RopeScaling,
  StateDict,
  Tensor,
  TensorLike,
  TransformerConfig,
  TransformerDecoder,
  TransformerEncoder,
  TransformerEncoderLayer,
} from 'attention-wasm';
import {
  at,
  fromNested,
  masks,
  row,
  toArray,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from 'attention-wasm';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(proof: Same<A, B>): void;

export function rules(attention: Attention, shape: MaskShape): AttentionRules {
  same<typeof attention.masks, typeof masks>(true);
  const longformer: Mask = masks.slidingWindow(256, 256).or(masks.globalTokens([0]));
  const dense: { data: Uint8Array; shape: number[] } = longformer.toDense(shape);
  const mask = masks
    .documents([0n, 0n, 1n])
    .and(masks.fromFunction((_batch, _head, query, key) => key <= query))
    .not();
  // @ts-expect-error: a window has two sides.
  attention.scaledDotProductAttention(dense as never, dense as never, dense as never, { window: [3] });
  return { mask, window: [255, 0], softcap: 30, alibi: true, sinks: { data: new Float32Array(2), shape: [2] } };
}

/** Keys and values of int8; their factors are an option like any other. */
export function stored(attention: Attention, q: TensorLike, keyScales: Tensor<'float32'>): NdArray {
  const k = { data: new Int8Array(64), shape: [8, 8] };
  const { output } = attention.scaledDotProductAttention(q, k, k, { keyScales, valueScales: keyScales });
  // @ts-expect-error: linear attention has no scores to scale.
  attention.linearAttention(q, k, k, { keyScales });
  return attention.attentionMap(output, k, { keyScales });
}

export function forms(attention: Attention, x: TensorLike, out: Tensor<'float32'>): NdArray[] {
  const packed = attention.variableLengthAttention(x, x, x, {
    cuSeqlensQ: [0, 4],
    cuSeqlensKv: new BigInt64Array(2),
    logSumExp: true,
    out,
  });
  same<typeof packed.output, Tensor<'float32'>>(true);
  same<typeof packed.logSumExp, NdArray>(true);
  same<typeof packed.weights, undefined>(true);
  // @ts-expect-error: weights of packed sequences are refused.
  attention.variableLengthAttention(x, x, x, { cuSeqlensQ: [0, 4], cuSeqlensKv: [0, 4], weights: true });

  const scaling: RopeScaling = { type: 'yarn', factor: 4, originalContext: 4096 };
  const turned = attention.rotaryEmbedding(x, { scaling, positions: [3n, 4n], out });
  same<typeof turned, Tensor<'float32'>>(true);
  return [
    packed.logSumExp,
    attention.attentionMap(x, x, { rows: [0, 100], size: [64, 64], pool: 'mean', causal: true }),
    attention.linearAttention(x, x, x, { featureMap: 'relu' }).output,
    attention.attentionRollout([x, x], { headFusion: 'max' }),
    attention.gelu(attention.silu(attention.rmsNorm(x)), { approximate: 'tanh' }),
  ];
}

export function layer(attention: Attention, weights: Record<string, TensorLike>, x: TensorLike): NdArray {
  const heads: MultiHeadAttention = attention.multiHeadAttention({ embedDim: 64, numHeads: 4, kdim: 32 }, weights);
  const own = heads.forward(x, { weights: true, averageWeights: true });
  same<typeof own.weights, NdArray>(true);
  const cross = heads.forward(x, x, x, { causal: true });
  same<typeof cross.weights, undefined>(true);
  heads.dispose();
  return cross.output;
}

export function transformers(attention: Attention, weights: StateDict, x: TensorLike, out: Tensor<'float32'>): NdArray {
  const config: TransformerConfig = { numHeads: 4, activation: 'gelu', normFirst: true, layerNormEpsilon: 1e-6 };
  const layer: TransformerEncoderLayer = transformerEncoderLayer(attention, config, weights);
  const one = layer.forward(x, { causal: true, weights: true });
  same<typeof one.weights, NdArray>(true);
  // @ts-expect-error: an encoder reads no memory.
  layer.forward(x, { memoryMask: x });
  const stack: TransformerEncoder = transformerEncoder(attention, config, weights);
  const all = stack.forward(x, { attentionMask: x, weights: true, out });
  same<typeof all.weights, NdArray[]>(true);
  same<typeof all.output, Tensor<'float32'>>(true);
  const decoder: TransformerDecoder = transformerDecoder(attention, config, weights);
  const last = decoder.forward(x, all.output, { mask: masks.causal(), memoryAttentionMask: x });
  same<typeof last.crossWeights, undefined>(true);
  const seen = transformerDecoderLayer(attention, config, weights).forward(x, x, { weights: true });
  same<typeof seen.crossWeights, NdArray>(true);
  // @ts-expect-error: a decoder reads memory.
  decoder.forward(x);
  // @ts-expect-error: torch has two names of activations.
  transformerDecoder(attention, { numHeads: 4, activation: 'silu' }, weights);
  return last.output;
}

export function values(result: NdArray, half: Tensor<'float16'>): number {
  const line: NdArray = row(result, 0, 2);
  const nested = toArray<number[][]>(result);
  const bits: ArrayTensor<Uint16Array> = row(half, 1);
  const ids: ArrayTensor<Int32Array> = fromNested([[1, 2], Int32Array.of(3, 4)], 'int32');
  const input: TensorLike = fromNested([[true, false]], 'bool');
  // @ts-expect-error: text is no number.
  fromNested([['1']]);
  return at(line, 0) + at(bits, 0) + at(ids, 0, 1) + at(input, 0, 0) + (nested[0]?.[0] ?? 0);
}
