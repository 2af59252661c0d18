import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
await tf.setBackend('wasm');

/** Over [heads, length, size], of three operators: tfjs has none for attention, and so no causal one. */
export function tfjsAttention({ heads, length, size }, { query, key, value }) {
  const tensor = (data) => tf.tensor(data, [heads, length, size]);
  const attend = () => {
    const scores = tf.mul(tf.matMul(tensor(query), tensor(key), false, true), 1 / Math.sqrt(size));
    return tf.matMul(tf.softmax(scores), tensor(value)).dataSync();
  };
  return () => tf.tidy(attend);
}
