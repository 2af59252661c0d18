import * as ort from 'onnxruntime-web';
import { multiHeadAttention, standardAttention } from './attention-graphs.mjs';
import { encodeGraph } from './onnx.mjs';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** onnxruntime has two such operators; which one is faster depends on the shape. */
export async function onnxruntimeAttention(shape, inputs, packedInputs) {
  return {
    Attention: await attention(standardAttention(shape), inputs),
    MultiHeadAttention: await attention(multiHeadAttention(shape), packedInputs),
  };
}

/** A function of no argument: copies in, runs, copies out. */
export async function attention(graph, inputs) {
  const session = await createSession(graph);
  return async () => {
    const feeds = graph.inputs.map(({ name, shape }) => [name, new ort.Tensor('float32', inputs[name], shape)]);
    return (await session.run(Object.fromEntries(feeds))).output.data;
  };
}

/** A BERT encoder's last hidden state as a function of token ids. */
export async function bert(graph) {
  const session = await createSession(graph);
  const [{ name }] = graph.outputs;
  return async (ids) => {
    const shape = [1, ids.length];
    const outputs = await session.run({
      ids: new ort.Tensor('int32', Int32Array.from(ids), shape),
      types: new ort.Tensor('int32', new Int32Array(ids.length), shape),
    });
    return outputs[name].data;
  };
}

async function createSession(graph) {
  const session = await ort.InferenceSession.create(encodeGraph(graph), { executionProviders: ['wasm'] });
  // In Node.js it leaves a global Worker behind, which jax-js would take for a browser where it can start threads.
  delete globalThis.Worker;
  return session;
}
