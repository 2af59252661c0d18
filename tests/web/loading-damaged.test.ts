import { type Attention, AttentionError, createAttention } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { bytesOf, failure, works } from './loaded.ts';
import { Random } from './random.ts';

describe('a module that is damaged', () => {
  const whole = bytesOf('simd');

  test('cut short it is LOAD_FAILED, wherever', async () => {
    const random = new Random(12);
    for (let n = 0; n < 40; n++) {
      const cut = whole.subarray(0, random.integer(0, whole.length - 1));
      expect((await failure({ variant: 'simd', wasm: cut })).code, `${cut.length} bytes`).toBe('LOAD_FAILED');
    }
    works(await createAttention({ variant: 'simd', wasm: whole }));
  });

  /** Each bit before the instructions: a changed one of those may do anything, and loop for minutes. */
  test('with a changed bit it is refused, or right', async () => {
    const end = startOfCode(whole);
    expect(end).toBeGreaterThan(500);
    const seen = { refused: 0, right: 0 };
    for (let n = 0; n < 8 * end; n++) {
      const [at, bit] = [n >> 3, n & 7];
      const changed = whole.slice();
      changed[at] = (changed[at] as number) ^ (1 << bit);
      const outcome = await createAttention({ variant: 'simd', wasm: changed }).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        if (!(outcome instanceof AttentionError)) throw new Error(`bit ${bit} of byte ${at}`, { cause: outcome });
        // Without an allocator there is no memory.
        expect(outcome.code, `bit ${bit} of byte ${at}`).toMatch(
          /^(LOAD_FAILED|UNSUPPORTED_ENGINE|INVALID_ARGUMENT|OUT_OF_MEMORY)$/,
        );
        seen.refused++;
      } else {
        works(outcome as Attention);
        (outcome as Attention).dispose();
        seen.right++;
      }
    }
    expect(seen.refused).toBeGreaterThan(1000);
    expect(seen.right).toBeGreaterThan(100);
  });
});

/** Where the section of instructions begins: WebAssembly core specification 2.0, 5.5.2. */
function startOfCode(module: Uint8Array): number {
  let at = 8;
  while (module[at] !== 10) {
    at++;
    let size = 0;
    for (let shift = 0, isLast = false; !isLast; shift += 7) {
      const byte = module[at++] as number;
      size |= (byte & 127) << shift;
      isLast = byte < 128;
    }
    at += size;
  }
  return at;
}
