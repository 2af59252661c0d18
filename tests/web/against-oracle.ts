import type { Attention, Mask, NdArray, Tensor } from 'attention-wasm';
import { expectClose, logSumExpTolerance, outputTolerance, probabilityTolerance, scoreTolerance } from './compare.ts';
import { attention, type OracleOptions, type OracleResult } from './oracle/attention.ts';
import { sizeOf, valuesOf } from './oracle/values.ts';
import type { Plain } from './random.ts';
import { dequantised, type Scales } from './stored.ts';

export const stages = ['scores', 'softcapped', 'biased', 'probabilities'] as const;
export type Weights = boolean | (typeof stages)[number];
export type Inputs = readonly [q: Plain, k: Plain, v: Plain];
/** Of a cache: without keys and values, what it holds. */
export type CacheInputs = Inputs | readonly [q: Plain, k: null, v: null];

/** The package's options; a Mask comes with the oracle's word for it. */
export type Options = Omit<OracleOptions, 'mask' | 'attentionMask' | 'alibi' | 'sinks'> & {
  mask?: Plain | Mask;
  attentionMask?: Plain;
  alibi?: boolean | Plain;
  sinks?: Plain;
} & Scales;

/** How a call is made, beside its options. */
export interface Manner {
  weights?: Weights;
  logSumExp?: boolean;
  /** Inputs by name that live in the engine's memory. */
  resident?: readonly string[];
  out?: 'array' | 'tensor' | undefined;
}

/** What the oracle makes of a call, in doubles or rounded at each step. */
export const exactly = ([q, k, v]: Inputs, options: Options, round?: (x: number) => number): OracleResult =>
  attention(
    q,
    dequantised(k, options.keyScales, options),
    dequantised(v, options.valueScales, options),
    inOracleWords(options),
    round,
  );

export const inOracleWords = (options: Options): OracleOptions =>
  (options.rule ? { ...options, mask: undefined } : options) as OracleOptions;

/** Runs one call and holds everything that came back against the oracle; scores are to be at most 50. */
export function expectAttention(
  engine: Attention,
  inputs: Inputs,
  options: Options = {},
  manner: Manner = {},
  exact: OracleResult = exactly(inputs, options),
): OracleResult {
  const call: Call = (q, k, v, more) => engine.scaledDotProductAttention(q, k as Plain, v as Plain, more);
  const got = callWith(engine, call, inputs, options, manner, exact);
  expectResults(got, exact, inputs[0], valuesOf(dequantised(inputs[2], options.valueScales, options)), manner);
  return exact;
}

type Got = ReturnType<typeof callWith>;

/** Holds what came back of queries over values, in its manner, against the oracle. */
export function expectResults(
  got: Got,
  exact: OracleResult,
  q: Plain,
  values: ArrayLike<number>,
  { weights = false, logSumExp = false }: Manner,
): void {
  const [B = 0, H = 0, Sq = 0, Skv = 0] = exact.scores.shape;
  const D = Math.max(1, q.data.length / Math.max(1, B * H * Sq));
  expectClose(got.output, exact.output, outputTolerance(values, exact));
  expectPresence('logSumExp', got.logSumExp, logSumExp);
  if (got.logSumExp)
    expectClose(got.logSumExp, exact.logSumExp, logSumExpTolerance(D, Skv, exact.magnitude, exact.logSumExp));
  expectPresence('weights', got.weights, weights !== false);
  if (!got.weights) return;
  const stage = weights === true ? 'probabilities' : (weights as (typeof stages)[number]);
  const tolerance = stage === 'probabilities' ? probabilityTolerance(exact) : scoreTolerance(D, exact, stage);
  expectClose(got.weights, exact[stage], tolerance);
}

/** The same for each thing that can be asked for beside the output. */
export function expectEverything(engine: Attention, inputs: Inputs, options: Options = {}): OracleResult {
  const exact = exactly(inputs, options);
  for (const weights of [false, true, ...stages] as const) expectAttention(engine, inputs, options, { weights }, exact);
  return expectAttention(engine, inputs, options, { weights: true, logSumExp: true }, exact);
}

export type Call = (...given: [q: Plain, k: Plain | null, v: Plain | null, options: object]) => {
  output: unknown;
  weights: NdArray | undefined;
  logSumExp: NdArray | undefined;
};

/** The call in its manner; what it returns outlives the tensors it was made with. */
export function callWith(
  engine: Attention,
  call: Call,
  [q, k, v]: CacheInputs,
  { rule: _, ...options }: Options,
  { weights, logSumExp, resident = [], out }: Manner,
  { output: { shape } }: Pick<OracleResult, 'output'>,
) {
  const held: Tensor[] = [];
  const hold = <T extends Tensor>(tensor: T): T => {
    held.push(tensor);
    return tensor;
  };
  const given = { ...options, q, k, v } as Record<string, unknown>;
  for (const name of resident) given[name] = hold(engine.tensor(given[name] as Plain));
  const { q: query, k: key, v: value, ...rest } = given;
  const room = out === 'tensor' ? hold(engine.zeros(shape)) : new Float32Array(sizeOf(shape));
  ('fill' in room ? room : room.data).fill(NaN); // what is not written shows
  try {
    const got = call(query as Plain, key as Plain, value as Plain, {
      ...(rest as object),
      ...(weights !== undefined && { weights }),
      ...(logSumExp !== undefined && { logSumExp }),
      ...(out && { out: room }),
    });
    const output = got.output as { data: Float32Array; shape: readonly number[] };
    if (out === 'array' && output.data !== room) throw new Error('output.data is not the array given as out');
    if (out === 'tensor' && got.output !== room) throw new Error('output is not the tensor given as out');
    return { ...got, output: { data: output.data.slice(), shape: [...output.shape] } };
  } finally {
    for (const tensor of held) tensor.dispose();
  }
}

function expectPresence(name: string, value: unknown, wanted: boolean): void {
  if ((value !== undefined) !== wanted)
    throw new Error(`${name} is ${value === undefined ? 'absent' : 'there'}, wanted the opposite`);
}
