import { type Attention, createAttention, type LoadOptions, type Variant } from 'attention-wasm';
import { afterAll, beforeAll, describe } from 'vitest';

export type { Variant };
export const variants = ['simd', 'relaxed-simd'] as const satisfies readonly Variant[];
/** With those that share memory: for tests of what sharing may change. */
export const allVariants = [...variants, 'simd-threads', 'relaxed-simd-threads'] as const satisfies readonly Variant[];

export const hasThreads = (variant: Variant): boolean => variant.endsWith('-threads');

/** How an engine of a variant is asked for: two threads or three. */
export function load(variant: Variant): LoadOptions {
  if (!hasThreads(variant)) return { variant };
  return { variant, threads: variant === 'simd-threads' ? 2 : 3 };
}

/** Declares a suite once for each variant, with one engine for all its tests. */
export function forEachVariant(
  name: string,
  suite: (engine: () => Attention, variant: Variant) => void,
  among: readonly Variant[] = variants,
): void {
  describe.each(among)(`${name} (%s)`, (variant) => {
    let attention: Attention;
    beforeAll(async () => {
      attention = await createAttention(load(variant));
    });
    afterAll(() => attention?.dispose());
    suite(() => attention, variant);
  });
}
