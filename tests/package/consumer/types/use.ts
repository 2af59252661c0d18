// Compiled, never run: what the types promise to users whose library is ES2022, with or without DOM.
import type { Attention, AttentionErrorCode, KvCache, LinearWeight, NdArray, Tensor, TensorLike } from 'attention-wasm';
import { AttentionError, createAttention } from 'attention-wasm';
import type { FileTensor, GenerateOptions, Model, ModelCache } from 'attention-wasm/models';
import { createModel, readSafetensors } from 'attention-wasm/models';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(proof: Same<A, B>): void;

export async function results(query: TensorLike): Promise<NdArray> {
  const attention: Attention = await createAttention({ variant: 'simd', wasm: (file) => `/assets/${file}` });
  const shared = await createAttention({ variant: 'simd-threads', threads: 'auto', deterministic: true });
  same<typeof shared.info.threadsReason, string | undefined>(true);
  const plain = attention.scaledDotProductAttention(query, query, query);
  same<typeof plain.output, NdArray>(true);
  same<typeof plain.weights, undefined>(true);
  same<typeof plain.logSumExp, undefined>(true);
  // @ts-expect-error: weights are there only when asked for.
  plain.weights.data;

  const full = attention.scaledDotProductAttention(query, query, query, { weights: 'scores', logSumExp: true });
  same<typeof full.weights, NdArray>(true);
  same<typeof full.logSumExp, NdArray>(true);

  // @ts-expect-error: there are two corners only.
  attention.scaledDotProductAttention(query, query, query, { causal: 'upper-right' });
  // @ts-expect-error: options are known by name.
  attention.scaledDotProductAttention(query, query, query, { casual: true });

  const annotated: { output: NdArray } = attention.scaledDotProductAttention(query, query, query);
  return attention.layerNorm(annotated.output);
}

export function resident(attention: Attention, query: Tensor<'float32'>): Tensor<'float32'> {
  const out = attention.zeros([2, 3]);
  same<typeof out, Tensor<'float32'>>(true);
  same<typeof out.data, Float32Array>(true);
  same<ReturnType<typeof attention.zeros<'bool'>>['data'], Uint8Array>(true);
  const { output } = attention.scaledDotProductAttention(query, query, query, { out });
  same<typeof output, Tensor<'float32'>>(true);
  return attention.softmax(output, { out });
}

export async function model(attention: Attention, bytes: Uint8Array): Promise<Float32Array> {
  const tensors: Record<string, FileTensor> = readSafetensors(bytes);
  const bert: Model = createModel(attention, { config: { model_type: 'bert' }, tensors });
  const silent = await bert.forward([101, 102]);
  same<typeof silent.attentions, undefined>(true);
  const { attentions } = await bert.forward([[101, 102], [101]], { attention: true });
  same<typeof attentions, NdArray[]>(true);
  return (await bert.embed(new Int32Array([101, 102]))).data;
}

export async function decoder(attention: Attention, llama: Model): Promise<Int32Array> {
  const cache: KvCache = attention.kvCache({ numKvHeads: 2, headDim: 8, capacity: 9, dtype: 'int8' });
  const x = attention.zeros([2, 1, 8]);
  const seen = cache.attend(x, x, x, { logSumExp: true });
  same<typeof seen.logSumExp, NdArray>(true);
  // @ts-expect-error: a cache needs its heads.
  attention.kvCache({ headDim: 8, capacity: 9 });
  const packed: LinearWeight = attention.linearWeight(x, { dtype: 'int8' });
  attention.embedding([0], packed);

  const held: ModelCache = llama.createCache({ window: 64, sinkTokens: 4 });
  const options: GenerateOptions<true> = { maxNewTokens: 5, cache: held, attention: true };
  await llama.generate([1], { ...options, onToken: ({ attentions }) => same<typeof attentions, NdArray[]>(true) });
  const { projections, logits } = await llama.forward([1], { projections: true, logits: 'all' });
  same<typeof logits, NdArray | undefined>(true);
  const scale: number | undefined = projections?.[0]?.scale;
  return llama.generate([1], {
    maxNewTokens: 3,
    onToken: ({ id, attentions }) => same<typeof attentions, undefined>(true) ?? id !== scale,
  });
}

export function code(error: unknown): AttentionErrorCode | undefined {
  return error instanceof AttentionError ? error.code : undefined;
}
