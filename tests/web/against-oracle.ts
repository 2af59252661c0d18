import type { Attention } from 'attention-wasm';
import { expectClose, logSumExpTolerance, outputTolerance, probabilityTolerance, scoreTolerance } from './compare.ts';
import { attention, type OracleOptions, type OracleResult } from './oracle/attention.ts';
import { valuesOf } from './oracle/values.ts';
import type { Plain } from './random.ts';

export const stages = ['scores', 'softcapped', 'biased', 'probabilities'] as const;
type Weights = boolean | (typeof stages)[number];
type Options = OracleOptions & { mask?: Plain; attentionMask?: Plain };

/** Runs one call and holds everything that came back against the oracle; scores are to be at most 50. */
export function expectAttention(
  engine: Attention,
  [q, k, v]: readonly [Plain, Plain, Plain],
  options: Options = {},
  { weights = false as Weights, logSumExp = false } = {},
): OracleResult {
  const exact = attention(q, k, v, options);
  const got = engine.scaledDotProductAttention(q, k, v, { ...options, weights, logSumExp });
  const [, H = 0, Sq = 0, Skv = 0] = exact.scores.shape;
  const D = Math.max(1, valuesOf(q).length / Math.max(1, (exact.scores.shape[0] as number) * H * Sq));

  expectClose(got.output, exact.output, outputTolerance(valuesOf(v), exact));
  expectPresence('logSumExp', got.logSumExp, logSumExp);
  if (got.logSumExp)
    expectClose(got.logSumExp, exact.logSumExp, logSumExpTolerance(D, Skv, exact.magnitude, exact.logSumExp));
  expectPresence('weights', got.weights, weights !== false);
  if (got.weights) {
    // No softcap: the scores after it are the scores.
    const stage =
      weights === true
        ? 'probabilities'
        : weights === 'softcapped'
          ? 'scores'
          : (weights as Exclude<Weights, boolean | 'softcapped'>);
    expectClose(
      got.weights,
      exact[stage],
      stage === 'probabilities' ? probabilityTolerance(exact) : scoreTolerance(D, exact.magnitude, exact[stage]),
    );
  }
  return exact;
}

/** The same for each thing that can be asked for beside the output. */
export function expectEverything(
  engine: Attention,
  inputs: readonly [Plain, Plain, Plain],
  options: Options = {},
): OracleResult {
  for (const weights of [false, true, ...stages] as const) expectAttention(engine, inputs, options, { weights });
  return expectAttention(engine, inputs, options, { weights: true, logSumExp: true });
}

function expectPresence(name: string, value: unknown, wanted: boolean): void {
  if ((value !== undefined) !== wanted)
    throw new Error(`${name} is ${value === undefined ? 'absent' : 'there'}, wanted the opposite`);
}
