import type { NdArray } from 'attention-wasm';
import type { Model, ModelCache } from 'attention-wasm/models';
import { expect } from 'vitest';
import { expectClose } from './compare.ts';
import type { Family } from './families.ts';
import { everything, expectTrace, near, since } from './model-compare.ts';
import type { DecoderTrace, Hooks, Projections, Trace } from './oracle/model.ts';
import type { Exact } from './oracle/values.ts';

/** Of a cache with a window: which keys it may let go once it has seen so many tokens. */
type MayLose = (j: number, length: number) => boolean;
type Fed = Hooks & { mayLose?: MayLose };
export const windowed = (window: number, sinks: number): Fed => ({
  mask: () => ({ rule: ({ p, j }) => j < sinks || (p - window < j && j <= p) }),
  mayLose: (j, length) => j >= sinks && j < length - window,
});

export const cut = (text: readonly number[], size: number): number[][] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, n) => text.slice(n * size, (n + 1) * size));

/** For tests of a decoder's cache. */
export function feeding(family: Family<DecoderTrace>, model: () => Model) {
  /** Feeds blocks that follow `before` and asks for everything of each, which must be what the oracle has for those rows. */
  async function feed(
    cache: ModelCache,
    blocks: readonly number[][],
    { mayLose, ...hooks }: Fed = {},
    before: readonly number[] = [],
  ) {
    let text = before;
    for (const block of blocks) {
      const got = await model().forward(block, { ...everything, cache });
      const from = text.length;
      text = [...text, ...block];
      const exact = since(from, family.exact(text, hooks));
      for (const [layer, one] of got.projections?.entries() ?? []) if (mayLose) loseAs(one, exact, layer, mayLose);
      expectTrace(got, exact);
      const { data, shape } = exact.logits as Exact;
      expectClose(got.logits as never, { data, shape: [1, ...shape] }, near(exact.logits as Exact));
      expect(cache.length).toBe(text.length);
    }
  }
  async function withCache(use: (cache: ModelCache) => Promise<void>, options = {}) {
    const cache = model().createCache(options);
    await use(cache);
    cache.dispose();
  }
  return { feed, withCache };
}

/** Keys and values that may be gone are zeros where they are: there the trace has zeros too. */
function loseAs(got: { key: NdArray; value: NdArray }, exact: Trace, layer: number, mayLose: MayLose): void {
  const want = exact.projections[layer] as Projections;
  for (const part of ['key', 'value'] as const) {
    const [, heads = 0, length = 0, D = 0] = want[part].shape;
    const data = want[part].data.slice();
    for (let row = 0; row < heads * length; row++) {
      const isGone = got[part].data.subarray(row * D, (row + 1) * D).every((x) => x === 0);
      if (isGone && mayLose(row % length, length)) data.fill(0, row * D, (row + 1) * D);
    }
    want[part] = { data, shape: want[part].shape };
  }
}
