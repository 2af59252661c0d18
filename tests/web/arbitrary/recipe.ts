import fc from 'fast-check';
import { stages } from '../against-oracle.ts';
import { type MaskTree, maskTree } from './mask-rule.ts';

/**
 * An attention call told in small numbers, so that shrinking leaves a small call. Numbers that depend on the sizes are given raw and
 * wrapped into their range later (call.ts); tensors are drawn from `seed`.
 */
export interface Recipe {
  rank: (typeof ranks)[number];
  sizes: { B: number; Hkv: number; groups: number; Sq: number; Skv: number; D: number; Dv: number };
  /** In place of Sq and Skv: past blocks of 64, 96 and 128. */
  long?: { Sq: number; Skv: number } | undefined;
  seed: number;
  /** The standard deviation of the scores: 10 stays below 50 but for one pair in a million. */
  scores: number;
  values: number;
  types: readonly [q: FloatType, k: StoredType, v: StoredType];
  poison: boolean;
  saysHeads: boolean;
  options: RecipeOptions;
  manner: {
    weights?: boolean | (typeof stages)[number] | undefined;
    logSumExp: boolean;
    out?: 'array' | 'tensor' | undefined;
    resident: string[];
  };
}

export interface RecipeOptions {
  scale?: number | undefined;
  softcap?: number | undefined;
  causal?: boolean | 'upper-left' | 'lower-right' | undefined;
  window?: [number, number] | undefined;
  /** One number for all, or one per batch in an array of the named type. */
  queryOffset?: { as: 'number' | IntegerType; raw: number[] } | undefined;
  kvLengths?: { as: IntegerType; raw: number[] } | undefined;
  attentionMask?: { as: 'bool' | 'uint8' | 'int32' | 'int64'; keep: number } | undefined;
  mask?: MaskRecipe | { tree: MaskTree } | undefined;
  alibi?: boolean | { as: FloatType; steepness: number } | undefined;
  sinks?: { as: FloatType; raw: number[] } | undefined;
}
/** Leading axes are whole or 1, or `absent` of them not there; the last is whole, 1 or short. */
export interface MaskRecipe {
  as: 'bool' | FloatType;
  ones: boolean[];
  absent: number;
  last: 'whole' | 'one' | { short: number };
  keep: number;
}
export type FloatType = 'float32' | 'float64' | 'float16';
export type StoredType = FloatType | 'int8';
export type IntegerType = 'array' | 'int32' | 'int64';

export const ranks = ['[S,D]', '[H,S,D]', '[S,H·D]', '[B,S,H·D]', 'BHSD', 'BSHD'] as const;
export const residents = ['q', 'k', 'v', 'mask', 'attentionMask', 'alibi', 'sinks', 'keyScales', 'valueScales'];

/** There in so many of a hundred cases; a counter-example sheds it where it can. */
export const maybe = <T>(percent: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 100 - percent, arbitrary: fc.constant(undefined) },
    { weight: percent, arbitrary },
  );

export const floatType = fc.oneof(
  { withCrossShrink: true },
  { weight: 8, arbitrary: fc.constant('float32' as const) },
  { weight: 2, arbitrary: fc.constantFrom('float64' as const, 'float16' as const) },
);
const storedType = fc.oneof(
  { withCrossShrink: true },
  { weight: 9, arbitrary: floatType },
  { weight: 1, arbitrary: fc.constant('int8' as const) },
);
const integerType = fc.constantFrom<IntegerType[]>('array', 'int32', 'int64');
// Short ones more often: a fault at the edge of a vector or tile shows at any size.
const length = fc.oneof(
  { withCrossShrink: true },
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 34 }) },
  { weight: 1, arbitrary: fc.integer({ min: 35, max: 66 }) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const width = fc.oneof(
  { withCrossShrink: true },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 17 }) },
  { weight: 1, arbitrary: fc.constantFrom(24, 31, 32, 33, 64) },
);
const past = (most: number) => fc.integer({ min: 60, max: most });
const threeOf = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: 3, maxLength: 3 });
const keep = fc.constantFrom(1, 0.8, 0.3, 0);

const mask = fc.record<MaskRecipe>({
  as: fc.oneof({ arbitrary: fc.constant('bool' as const), weight: 1 }, { arbitrary: floatType, weight: 1 }),
  ones: threeOf(fc.boolean()),
  absent: fc.nat(3),
  last: fc.oneof(
    { weight: 7, arbitrary: fc.constant('whole' as const) },
    { weight: 1, arbitrary: fc.constant('one' as const) },
    { weight: 2, arbitrary: fc.record({ short: fc.nat(200) }) },
  ),
  keep,
});

export const optionRecipes = fc.record<RecipeOptions>({
  scale: maybe(25, fc.constantFrom(1, 0.125, 0.01, -0.3, 0)),
  softcap: maybe(25, fc.constantFrom(0, 0.5, 2, 5, 30, 50)),
  causal: maybe(
    35,
    fc.constantFrom<(boolean | 'upper-left' | 'lower-right')[]>(true, 'upper-left', 'lower-right', false),
  ),
  window: maybe(30, fc.tuple(fc.integer({ min: -1, max: 90 }), fc.integer({ min: -1, max: 90 }))),
  queryOffset: maybe(
    40,
    fc.record({
      as: fc.constantFrom<('number' | IntegerType)[]>('number', 'array', 'int32', 'int64'),
      raw: threeOf(fc.integer({ min: -6, max: 300 })),
    }),
  ),
  kvLengths: maybe(25, fc.record({ as: integerType, raw: threeOf(fc.nat(300)) })),
  attentionMask: maybe(
    20,
    fc.record({ as: fc.constantFrom('bool' as const, 'uint8' as const, 'int32' as const, 'int64' as const), keep }),
  ),
  mask: maybe(60, fc.oneof({ weight: 1, arbitrary: mask }, { weight: 1, arbitrary: fc.record({ tree: maskTree }) })),
  alibi: maybe(
    25,
    fc.oneof(
      fc.constant(true),
      fc.constant(false),
      fc.record({ as: floatType, steepness: fc.constantFrom(0.1, 1, -0.1) }),
    ),
  ),
  sinks: maybe(
    25,
    fc.record({
      as: floatType,
      raw: fc.array(fc.constantFrom(0, 1, -3, 6, 20, -Infinity), { minLength: 9, maxLength: 9 }),
    }),
  ),
});

export const mannerRecipes = fc.record<Recipe['manner']>({
  weights: maybe(40, fc.constantFrom(...stages, true, false)),
  logSumExp: fc.boolean(),
  out: maybe(20, fc.constantFrom('array' as const, 'tensor' as const)),
  resident: maybe(20, fc.subarray(residents)).map((names) => names ?? []),
});

export const recipes: fc.Arbitrary<Recipe> = fc.record<Recipe>({
  rank: fc.constantFrom(...ranks),
  sizes: fc.record({
    B: fc.integer({ min: 1, max: 3 }),
    Hkv: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 3 }),
    Sq: length,
    Skv: length,
    D: width,
    Dv: width,
  }),
  long: maybe(4, fc.record({ Sq: past(200), Skv: past(260) })),
  seed: fc.noShrink(fc.noBias(fc.nat())),
  scores: fc.constantFrom(1, 0.1, 3, 10),
  values: fc.constantFrom(1, 0.1, 10),
  types: fc.tuple(floatType, storedType, storedType),
  poison: maybe(40, fc.constant(true)).map(Boolean),
  saysHeads: fc.boolean(),
  options: optionRecipes,
  manner: mannerRecipes,
});
