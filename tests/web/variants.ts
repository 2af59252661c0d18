import { type Attention, createAttention } from 'attention-wasm';
import { afterAll, beforeAll, describe } from 'vitest';

export type Variant = 'simd' | 'relaxed-simd';
export const variants = ['simd', 'relaxed-simd'] as const satisfies readonly Variant[];

/** Declares a suite once for each variant, with one engine for all its tests. */
export function forEachVariant(name: string, suite: (engine: () => Attention, variant: Variant) => void): void {
  describe.each(variants)(`${name} (%s)`, (variant) => {
    let attention: Attention;
    beforeAll(async () => {
      attention = await createAttention({ variant });
    });
    afterAll(() => attention?.dispose());
    suite(() => attention, variant);
  });
}
