// Compiled, never run: what the types promise to users of the engine in a worker.
import type { AttentionResult, LinearAttentionOptions, NdArray, TensorLike } from 'attention-wasm';
import { masks } from 'attention-wasm';
import type { Model } from 'attention-wasm/models';
import type {
  AsyncAttention,
  AsyncKvCache,
  AsyncMultiHeadAttention,
  CallOptions,
  Input,
  RemoteTensor,
  WorkerLoadOptions,
} from 'attention-wasm/worker';
import { AttentionError, createAttentionWorker } from 'attention-wasm/worker';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(proof: Same<A, B>): void;

export async function start(worker: NonNullable<WorkerLoadOptions['worker']>): Promise<AsyncAttention> {
  const attention = await createAttentionWorker({ worker, threads: 'auto', variant: 'simd' });
  same<typeof attention, AsyncAttention>(true);
  // @ts-expect-error: a worker is made when it is wanted.
  await createAttentionWorker({ worker: worker() });
  // @ts-expect-error: every result is a promise.
  attention.attentionMap(q, q).data;
  return attention;
}

declare const q: TensorLike;

/** As on the main thread: there is what was asked for, and nothing else to read. */
export async function results(attention: AsyncAttention, call: CallOptions): Promise<NdArray> {
  const plain = await attention.scaledDotProductAttention(q, q, q, call);
  same<typeof plain.output, NdArray>(true);
  same<typeof plain.weights, undefined>(true);
  // @ts-expect-error: weights are there only when asked for.
  plain.weights.data;

  const full = await attention.scaledDotProductAttention(q, q, q, {
    weights: 'scores',
    logSumExp: true,
    mask: masks.causal(),
    transfer: true,
    onProgress: (done, total) => same<typeof done, typeof total>(true),
  });
  same<typeof full.weights, NdArray>(true);
  same<typeof full.logSumExp, NdArray>(true);
  // @ts-expect-error: options are known by name.
  await attention.scaledDotProductAttention(q, q, q, { onprogress: () => {} });
  // @ts-expect-error: weights of packed sequences are refused.
  await attention.variableLengthAttention(q, q, q, { cuSeqlensQ: [0, 4], cuSeqlensKv: [0, 4], weights: true });

  const options: LinearAttentionOptions & CallOptions = { featureMap: 'relu' };
  const { output } = await attention.linearAttention(q, q, q, options);
  const annotated: AttentionResult = await attention.selfAttention(output, { query: q, key: q, value: q });
  return annotated.output;
}

/** What lives in the worker goes where arrays go, and only there. */
export async function resident(attention: AsyncAttention): Promise<RemoteTensor<'float32'>> {
  const out = await attention.zeros([2, 3]);
  same<typeof out, RemoteTensor<'float32'>>(true);
  same<Awaited<ReturnType<typeof out.read>>, NdArray>(true);
  const held: Input = await attention.tensor(q, { transfer: true });
  const { output } = await attention.scaledDotProductAttention(held, out, q, { out });
  same<typeof output, RemoteTensor<'float32'>>(true);
  // @ts-expect-error: its numbers are in the worker.
  out.data;
  const integers = await attention.zeros([2], 'int32');
  // @ts-expect-error: results are float32.
  await attention.scaledDotProductAttention(q, q, q, { out: integers });
  return output;
}

export async function layers(attention: AsyncAttention, weights: Record<string, Input>): Promise<Model> {
  const heads: AsyncMultiHeadAttention = await attention.multiHeadAttention({ embedDim: 64, numHeads: 4 }, weights);
  const cache: AsyncKvCache = await attention.kvCache({ numKvHeads: 4, headDim: 16, capacity: 9 });
  const own = await heads.forward(q, undefined, undefined, { weights: true, averageWeights: true, cache });
  same<typeof own.weights, NdArray>(true);
  const encoder = await attention.transformerEncoder({ numHeads: 4 }, weights);
  const maps = await encoder.forward(q, { weights: true, transfer: true });
  same<typeof maps.weights, NdArray[]>(true);
  // @ts-expect-error: a transformer is many calls, with no progress that is known.
  await encoder.forward(q, { onProgress: () => {} });
  await cache.append(q, q, { layout: 'BSHD', numKvHeads: 4 });
  const fork = await cache.fork();
  same<typeof fork, AsyncKvCache>(true);
  const seen = await fork.attend(q, null, null, { logSumExp: true });
  same<typeof seen.logSumExp, NdArray>(true);
  await fork.load(await cache.toBytes());
  const model = await attention.createModel({ config: { model_type: 'bert' }, tensors: {} }, { weights: 'int8' });
  same<typeof model, Model>(true);
  // @ts-expect-error: there are two ways to hold weights.
  await attention.createModel({ config: { model_type: 'bert' }, tensors: {} }, { weights: 'int4' });
  return model;
}

export function isAborted(error: unknown): boolean {
  return error instanceof AttentionError && error.code === 'ABORTED';
}
