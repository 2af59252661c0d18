import { createAttention } from '../dist/index.js';

export const variants = ['simd', 'relaxed-simd'];

/** Calls `body` with an engine of each variant by its name, and disposes of them in the end. */
export async function withEngines(body, options = {}) {
  const made = await Promise.all(variants.map((variant) => createAttention({ ...options, variant })));
  try {
    return await body(Object.fromEntries(variants.map((variant, at) => [variant, made[at]])));
  } finally {
    for (const engine of made) engine.dispose();
  }
}
