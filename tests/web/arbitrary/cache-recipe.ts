import fc from 'fast-check';
import { type CacheType, cacheTypes } from '../kv-cache-model.ts';
import {
  type FloatType,
  floatType,
  mannerRecipes,
  maybe,
  optionRecipes,
  type Recipe,
  type RecipeOptions,
  ranks,
} from './recipe.ts';

/** A cache's life told in small numbers; what depends on how it then is, is wrapped into its range when it happens. */
export interface CacheRecipe {
  sizes: { B: number; Hkv: number; groups: number; D: number; Dv?: number | undefined };
  dtype?: CacheType | undefined;
  window?: { size: number; sinks?: number | undefined; spare?: number | undefined } | undefined;
  /** In place of room for all that comes. */
  room?: number | undefined;
  seed: number;
  scores: number;
  values: number;
  steps: Step[];
}

/** What is given in which form: ranks that batch and heads do not allow are passed over. */
interface Form {
  rank: number;
  saysHeads: boolean;
  types: readonly [FloatType, FloatType, FloatType];
}
export type Step = { on: number } & (
  | ({ do: 'append'; count: number; poison?: number | undefined } & Form)
  | ({
      do: 'attend';
      count: number;
      /** Where there are not as many queries as new keys. */
      queries?: number | undefined;
      poison?: number | undefined;
      options: RecipeOptions;
      manner: Recipe['manner'];
    } & Form)
  | ({ do: 'look'; queries: number; options: RecipeOptions; manner: Recipe['manner'] } & Form)
  | { do: 'truncate'; raw: number }
  | { do: 'fork' }
  | { do: 'reorder'; raw: number[]; as: 'array' | 'int64' }
  | { do: 'clear' }
  | { do: 'reload' }
  | { do: 'dispose' }
  | { do: 'wrong'; what: (typeof wrongs)[number] }
);
export type StepOf<Name extends Step['do']> = Extract<Step, { do: Name }>;

export const wrongs = [
  'keys of another size',
  'values of another length',
  'keys without values',
  'an unknown option',
  'a mask that does not fit',
  "causal 'upper-left'",
  'lengths past the keys',
  'sinks for other heads',
  'truncate past the end',
  'truncate below 0',
  'reorder by what is no entry',
  'a byte changed',
] as const;
export { ranks };

// Pages have 16 to 128 keys; what crosses one of them is worth more than another small chunk.
const few = fc.oneof(
  { withCrossShrink: true },
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const many = fc.constantFrom(15, 16, 17, 33, 64, 65, 127, 130, 200);
const some = fc.oneof({ withCrossShrink: true }, { weight: 7, arbitrary: few }, { weight: 1, arbitrary: many });
const mostlyFew = fc.oneof(
  { withCrossShrink: true },
  { weight: 60, arbitrary: few },
  { weight: 1, arbitrary: fc.constantFrom(16, 64, 70, 130) },
);
const form = {
  rank: fc.nat(5),
  saysHeads: fc.boolean(),
  types: fc.tuple(floatType, floatType, floatType),
};
const notUpperLeft = ({ causal, ...options }: RecipeOptions): RecipeOptions => ({
  ...options,
  causal: causal === 'upper-left' ? true : causal,
});
const options = maybe(65, optionRecipes).map((recipe) => notUpperLeft(recipe ?? {}));
const manner = mannerRecipes;
const poison = maybe(5, fc.nat(1000));
const on = fc.nat(5);
const named = <const Name extends Step['do'], More>(
  name: Name,
  more: { [Key in keyof More]: fc.Arbitrary<More[Key]> },
) => fc.record({ do: fc.constant(name), on, ...more }) as unknown as fc.Arbitrary<Step>;

const step = fc.oneof(
  { withCrossShrink: true },
  { weight: 6, arbitrary: named('append', { count: some, poison, ...form }) },
  {
    weight: 10,
    arbitrary: named('attend', { count: mostlyFew, queries: maybe(15, few), poison, options, manner, ...form }),
  },
  { weight: 4, arbitrary: named('look', { queries: few, options, manner, ...form }) },
  { weight: 3, arbitrary: named('truncate', { raw: fc.nat(400) }) },
  { weight: 2, arbitrary: named('fork', {}) },
  {
    weight: 2,
    arbitrary: named('reorder', {
      raw: fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }),
      as: fc.constantFrom('array' as const, 'int64' as const),
    }),
  },
  { weight: 1, arbitrary: named('clear', {}) },
  { weight: 2, arbitrary: named('reload', {}) },
  { weight: 1, arbitrary: named('dispose', {}) },
  { weight: 2, arbitrary: named('wrong', { what: fc.constantFrom(...wrongs) }) },
);

const width = fc.oneof(
  { withCrossShrink: true },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 17 }) },
  { weight: 1, arbitrary: fc.constantFrom(24, 31, 32, 33, 64, 80) },
);

export const cacheRecipes: fc.Arbitrary<CacheRecipe> = fc.record<CacheRecipe>({
  sizes: fc.record({
    B: fc.oneof({ weight: 1, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 3 }) }),
    Hkv: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 3 }),
    D: width,
    Dv: maybe(70, width),
  }),
  dtype: maybe(80, fc.constantFrom(...cacheTypes)),
  window: maybe(
    45,
    fc.record({
      size: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 20 }) },
        { weight: 1, arbitrary: fc.constantFrom(31, 64, 100, 130) },
      ),
      sinks: maybe(60, fc.nat(5)),
      spare: maybe(30, fc.nat(20)),
    }),
  ),
  room: maybe(20, fc.integer({ min: 1, max: 150 })),
  seed: fc.noShrink(fc.noBias(fc.nat())),
  scores: fc.constantFrom(1, 0.1, 3, 10),
  values: fc.constantFrom(1, 0.1, 10),
  steps: fc.array(step, { minLength: 1, maxLength: 12, size: 'max' }),
});
