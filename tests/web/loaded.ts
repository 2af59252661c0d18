import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Attention, AttentionError, createAttention, type LoadOptions, type Variant } from 'attention-wasm';
import { expectClose } from './compare.ts';
import { attention as oracle } from './oracle/attention.ts';
import { Random } from './random.ts';

export const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
export const fileOf = (variant: Variant) => `attention-${variant}.wasm`;
/** Of a module, anew each time. */
export const bytesOf = (variant: Variant) => new Uint8Array(readFileSync(dist + fileOf(variant)));

const x = new Random(12).tensor([5, 8]);

/** Holds one call against the oracle. */
export function works(engine: Attention): void {
  expectClose(
    engine.scaledDotProductAttention(x, x, x, { causal: true }).output,
    oracle(x, x, x, { causal: true }).output,
    1e-5,
  );
}

/** With what these options are refused. */
export async function failure(options: unknown): Promise<AttentionError> {
  const outcome = await createAttention(options as LoadOptions).then(
    (engine) => {
      engine.dispose();
      return new Error('createAttention succeeded');
    },
    (error: unknown) => error,
  );
  if (outcome instanceof AttentionError) return outcome;
  throw outcome;
}
