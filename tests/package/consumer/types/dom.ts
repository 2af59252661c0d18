// Compiled, never run: the inputs that only a page has.
import { createAttention } from 'attention-wasm';

export async function load(response: Response, module: WebAssembly.Module): Promise<void> {
  await createAttention({ wasm: response });
  await createAttention({ wasm: module });
  await createAttention({ wasm: new URL('attention-simd.wasm', location.href), signal: AbortSignal.timeout(1000) });
}
