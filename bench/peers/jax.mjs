import { defaultDevice, init, jit, nn, numpy } from '@jax-js/jax';

await init('wasm');
defaultDevice('wasm');

/** It uses iterator helpers, which Node.js has from version 22 on. */
export const runsJax = 'Iterator' in globalThis;

/** Over [length, heads, size]. */
export function jaxAttention({ heads, length, size, causal }, { query, key, value }) {
  const attend = jit((q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: causal }));
  const array = (data) => numpy.array(data, { shape: [length, heads, size] });
  return () => attend(array(query), array(key), array(value)).data();
}
