/// <reference lib="webworker" />
import { createAttention } from 'attention-wasm';
import type { Operator, RaceAnswer, RaceFiles, RaceRequest, Runner } from './protocol';
import { packHeads } from './result';

/** What is used of onnxruntime-web. */
interface Onnxruntime {
  env: { logLevel: string; wasm: { numThreads: number } };
  InferenceSession: { create(url: string, options: { executionProviders: string[] }): Promise<Session> };
  Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
}

interface Session {
  run(inputs: Record<string, unknown>): Promise<{ output: { data: Float32Array } }>;
}

type Run = () => Float32Array | Promise<Float32Array>;

const rounds = 15;
/** Both add float32 in an order of their own. */
const tolerance = 1e-4;

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = async ({ data }: MessageEvent<RaceRequest>) => {
  const send = (answer: RaceAnswer) => scope.postMessage(answer);
  try {
    send(await race(data));
  } catch (error) {
    send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
};

/** The same attention on the same numbers, copies in and out included, one thread each, in turns. */
async function race({ folder, files }: RaceRequest): Promise<RaceAnswer> {
  const attention = await createAttention();
  const { heads, length, size } = files.shape;
  const shape = [1, heads, length, size];
  const random = () => Float32Array.from({ length: heads * length * size }, () => 2 * Math.random() - 1);
  const inputs = [random(), random(), random()] as const;
  const [query, key, value] = inputs.map((data) => ({ data, shape }));
  const runs: Record<Runner, Run> = {
    ours: () => attention.scaledDotProductAttention(query, key, value).output.data,
    ...(await onnxruntimeRuns(folder, files, inputs)),
  };
  const expected = await runs.ours();
  requireNear('Attention', await runs.Attention(), expected);
  requireNear('MultiHeadAttention', await runs.MultiHeadAttention(), packHeads(expected, heads, length));
  const times: Record<Runner, number[]> = { ours: [], Attention: [], MultiHeadAttention: [] };
  const names = Object.keys(times) as Runner[];
  // The first round compiles.
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const start = performance.now();
      await runs[name]();
      if (round > 0) times[name].push(performance.now() - start);
    }
  }
  return { type: 'result', times, variant: attention.info.variant };
}

async function onnxruntimeRuns(
  folder: string,
  { module, models, shape: { heads, length, size } }: RaceFiles,
  inputs: readonly Float32Array[],
): Promise<Record<Operator, Run>> {
  const ort: Onnxruntime = await import(/* @vite-ignore */ folder + module);
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const prepare = async (model: string, data: readonly Float32Array[], dims: readonly number[]): Promise<Run> => {
    const session = await ort.InferenceSession.create(folder + model, { executionProviders: ['wasm'] });
    return async () => {
      const [query, key, value] = data.map((one) => new ort.Tensor('float32', one, dims));
      return (await session.run({ query, key, value })).output.data;
    };
  };
  const packed = inputs.map((data) => packHeads(data, heads, length));
  return {
    Attention: await prepare(models.Attention, inputs, [1, heads, length, size]),
    MultiHeadAttention: await prepare(models.MultiHeadAttention, packed, [1, length, heads * size]),
  };
}

function requireNear(name: string, actual: Float32Array, expected: Float32Array): void {
  const isNear =
    actual.length === expected.length && actual.every((value, i) => Math.abs(value - expected[i]) <= tolerance);
  if (!isNear) throw new Error(`onnxruntime-web's ${name} gives other numbers.`);
}
