// Compiled, never run: code that takes an engine of either kind.
import type { Attention, KvCache, MultiHeadAttention, NdArray, TensorLike } from 'attention-wasm';
import { masks } from 'attention-wasm';
import type { AsyncAttention, AsyncKvCache, AsyncMultiHeadAttention } from 'attention-wasm/worker';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(proof: Same<A, B>): void;
declare const q: TensorLike;

export async function results(engine: Attention | AsyncAttention): Promise<NdArray> {
  const plain = await engine.scaledDotProductAttention(q, q, q);
  same<typeof plain.output, NdArray>(true);
  same<typeof plain.weights, undefined>(true);
  const { weights, logSumExp } = await engine.scaledDotProductAttention(q, q, q, {
    weights: true,
    logSumExp: true,
    mask: masks.causal(),
  });
  same<typeof weights, NdArray>(true);
  same<typeof logSumExp, NdArray>(true);
  // @ts-expect-error: options are known by name.
  await engine.scaledDotProductAttention(q, q, q, { casual: true });
  // @ts-expect-error: a result of either is to be awaited.
  engine.attentionMap(q, q).data;
  const sums = { cuSeqlensQ: [0, 4], cuSeqlensKv: [0, 4] };
  const packed = await engine.variableLengthAttention(q, q, q, { ...sums, logSumExp: true });
  same<typeof packed.logSumExp, NdArray>(true);
  const projections = { query: q, key: q, value: q };
  const self = await engine.selfAttention(q, projections, { weights: 'scores' });
  same<typeof self.weights, NdArray>(true);
  const cross = await engine.crossAttention(q, q, projections);
  const { output } = await engine.linearAttention(cross.output, q, q, { featureMap: 'relu' });
  return engine.attentionMap(output, q, { size: [8, 8] });
}

export async function held(engine: Attention | AsyncAttention, weights: Record<string, TensorLike>): Promise<number> {
  const tensor = await engine.tensor(q);
  const zeros = await engine.zeros([2, 3]);
  const cache: KvCache | AsyncKvCache = await engine.kvCache({ numKvHeads: 2, headDim: 8, capacity: 9 });
  await cache.append(q, q);
  const seen = await cache.attend(q, null, null, { weights: true });
  same<typeof seen.weights, NdArray>(true);
  const fork = await cache.fork();
  await fork.truncate(0);
  const layer: MultiHeadAttention | AsyncMultiHeadAttention = await engine.multiHeadAttention(
    { embedDim: 8, numHeads: 2 },
    weights,
  );
  const own = await layer.forward(q, { weights: true });
  same<typeof own.weights, NdArray>(true);
  const other = await layer.forward(q, q, q);
  same<typeof other.weights, undefined>(true);
  for (const one of [tensor, zeros, cache, fork, layer, engine]) one.dispose();
  return engine.info.memoryBytes;
}
