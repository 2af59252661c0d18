// Compiled, never run: scopes that free what they hold.
import { createAttention } from 'attention-wasm';

export async function scoped(): Promise<number> {
  using attention = await createAttention();
  using tensor = attention.zeros([2, 3]);
  return tensor.shape.length;
}
