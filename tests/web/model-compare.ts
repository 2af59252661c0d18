import type { NdArray } from 'attention-wasm';
import { expect } from 'vitest';
import { expectClose, largest } from './compare.ts';
import { rowsOf, type Trace } from './oracle/model.ts';
import type { Exact } from './oracle/values.ts';

/**
 * Three layers of float32: each number passes some ten sums of at most a hundred products, whose roundings of 2^-24 add up like a
 * random walk to about 10 units each (Higham and Mary 2019), and a norm or a softmax passes them on enlarged a few times: some
 * hundred units of 6e-8 of the largest number near it. Measured: at most 2.3e-6. Of a map the largest number is 1: twice 1e-5.
 */
export const near = (exact: Exact): number => 1e-5 * (1 + largest(exact.data));

/** [S,…] or [1,…] as one of a batch. */
export const asBatch = ({ data, shape }: Exact): Exact => ({
  data,
  shape: shape[0] === 1 && shape.length === 4 ? shape : [1, ...shape],
});

/** What a decoder can be asked for. */
export const everything = { attention: true, hiddenStates: true, projections: true, logits: 'all' } as const;

/** What a forward call may have brought: the package's result, as far as it is looked at. */
export interface Got {
  lastHiddenState: NdArray;
  hiddenStates?: NdArray[] | undefined;
  attentions?: NdArray[] | undefined;
  projections?: { query: NdArray; key: NdArray; value: NdArray; logSumExp: NdArray; scale: number }[] | undefined;
}

/** For one sequence: everything that was asked for equals the trace. */
export function expectTrace(got: Got, exact: Trace, tolerance: (exact: Exact) => number = near): void {
  const same = (one: NdArray | undefined, want: Exact | undefined) =>
    expectClose(one as NdArray, asBatch(want as Exact), tolerance(want as Exact));
  same(got.lastHiddenState, exact.lastHiddenState);
  if (got.hiddenStates) expect(got.hiddenStates.length).toBe(exact.hiddenStates.length);
  got.hiddenStates?.forEach((state, n) => {
    same(state, exact.hiddenStates[n]);
  });
  if (got.attentions) expectMaps(got.attentions, exact.attentions, tolerance);
  if (got.projections) expect(got.projections.length).toBe(exact.projections.length);
  got.projections?.forEach((one, layer) => {
    const want = exact.projections[layer] as Trace['projections'][number];
    same(one.query, want.query);
    same(one.key, want.key);
    same(one.value, want.value);
    expectClose(one.logSumExp, want.logSumExp, tolerance(want.logSumExp));
    expect(one.scale / want.scale).toBeCloseTo(1, 6);
  });
}

export function expectMaps(got: readonly NdArray[], exact: readonly Exact[], tolerance = near): void {
  expect(got.length).toBe(exact.length);
  got.forEach((map, layer) => {
    expectClose(map, exact[layer] as Exact, tolerance(exact[layer] as Exact));
  });
}

/** The last rows of a trace, as a call brings them whose input continues `from` tokens. */
export function since(from: number, exact: Trace): Trace {
  const S = exact.lastHiddenState.shape[0] as number;
  const rows = (x: Exact) => rowsOf(x, from, S);
  const perHead = ({ data, shape }: Exact): Exact => {
    const [, H = 0, , width = 1] = shape;
    const parts = Array.from({ length: H }, (_, h) => data.subarray((h * S + from) * width, (h + 1) * S * width));
    const out = new Float64Array(H * (S - from) * width);
    parts.forEach((part, h) => {
      out.set(part, h * part.length);
    });
    return { data: out, shape: [1, H, S - from, ...shape.slice(3)] };
  };
  return {
    hiddenStates: exact.hiddenStates.map(rows),
    lastHiddenState: rows(exact.lastHiddenState),
    attentions: exact.attentions.map(perHead),
    projections: exact.projections.map((one) => ({
      ...one,
      query: perHead(one.query),
      logSumExp: perHead(one.logSumExp),
    })),
    ...(exact.logits && { logits: rows(exact.logits) }),
  };
}

/** Entry b of a batch: the first n of its rows, [n,…] of [B,S,…]. */
export function entry({ data, shape }: { data: Float32Array; shape: number[] }, b: number, n = shape[1] as number) {
  const [, S = 0, ...rest] = shape;
  const width = rest.reduce((product, axis) => product * axis, 1);
  return { data: data.subarray(b * S * width, (b * S + n) * width), shape: [n, ...rest] };
}

/** Of maps [B,H,S,Skv] entry b: rows and columns `from` … `from + n − 1` of each head, which must be all that is not zero in them. */
export function mapOf(map: NdArray, b: number, n: number, from = 0): { data: Float64Array; shape: number[] } {
  const [, H = 0, S = 0, Skv = 0] = map.shape;
  const data = new Float64Array(H * n * n);
  for (let h = 0; h < H; h++)
    for (let i = 0; i < n; i++) {
      const row = map.data.subarray(((b * H + h) * S + from + i) * Skv, ((b * H + h) * S + from + i + 1) * Skv);
      data.set(row.subarray(from, from + n), (h * n + i) * n);
      if (![...row.subarray(0, from), ...row.subarray(from + n)].every((p) => p === 0))
        throw new Error(`row ${from + i} of head ${h} attends to padding: ${row}`);
    }
  return { data, shape: [1, H, n, n] };
}
