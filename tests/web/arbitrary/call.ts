import { type Inputs, inOracleWords, type Manner, type Options } from '../against-oracle.ts';
import { biasOf, offsetOf } from '../oracle/attention-rules.ts';
import { sizeOf } from '../oracle/values.ts';
import { type Floats, inType, type Plain, Random } from '../random.ts';
import { quantised } from '../stored.ts';
import { meaningOf } from './mask-rule.ts';
import type { IntegerType, MaskRecipe, Recipe, StoredType } from './recipe.ts';

export interface Call {
  inputs: Inputs;
  options: Options;
  manner: Manner;
  sizes: Sizes;
}
export interface Sizes {
  B: number;
  H: number;
  Hkv: number;
  Sq: number;
  Skv: number;
  D: number;
  Dv: number;
}

/** The call a recipe tells. */
export function callOf(recipe: Recipe): Call {
  const random = new Random(recipe.seed);
  const sizes = sizesOf(recipe);
  const { H, Hkv, Sq, Skv, D, Dv } = sizes;
  const options = optionsOf(recipe, sizes, random);
  const shape = (heads: number, length: number, size: number) => shapeOf(recipe.rank, sizes.B, heads, length, size);
  // Σ q·k of D products of unit normals has the deviation √D.
  const deviation = recipe.scores / (Math.abs(options.scale || 1 / Math.sqrt(D)) * Math.sqrt(D));
  const q = random.tensor(shape(H, Sq, D), deviation);
  const k = random.tensor(shape(Hkv, Skv, D));
  const v = random.tensor(shape(Hkv, Skv, Dv), recipe.values);
  if (recipe.poison) poisonUnseen([k, v], recipe, sizes, options, random);
  const inputs: Inputs = [
    inType(recipe.types[0], q),
    stored(recipe.types[1], k, sizes, options, 'keyScales'),
    stored(recipe.types[2], v, sizes, options, 'valueScales'),
  ];
  return { inputs, options, manner: mannerOf(recipe, { ...options, q, k, v }), sizes };
}

/** Tensors among what is given may be resident, and nothing else. */
export function mannerOf({ manner: { weights, ...manner } }: Pick<Recipe, 'manner'>, given: object): Manner {
  const resident = manner.resident.filter((name) => 'data' in Object((given as Record<string, unknown>)[name]));
  return { ...manner, ...(weights !== undefined && { weights }), resident };
}

function sizesOf({ rank, sizes, long }: Recipe): Sizes {
  const { B, Hkv, groups, Sq, Skv, D, Dv } = sizes;
  const one = rank === '[S,D]';
  const heads = one ? { H: 1, Hkv: 1 } : long ? { H: groups, Hkv: 1 } : { H: Hkv * groups, Hkv };
  const batch = rank.includes('B') ? B : 1;
  return long
    ? { ...heads, ...long, B: Math.min(2, batch), D: Math.min(16, D), Dv: Math.min(16, Dv) }
    : { ...heads, B: batch, Sq, Skv, D, Dv };
}

export function shapeOf(rank: Recipe['rank'], B: number, heads: number, length: number, size: number): number[] {
  const shapes: Record<Recipe['rank'], number[]> = {
    '[S,D]': [length, size],
    '[H,S,D]': [heads, length, size],
    '[S,H·D]': [length, heads * size],
    '[B,S,H·D]': [B, length, heads * size],
    BHSD: [B, heads, length, size],
    BSHD: [B, length, heads, size],
  };
  return shapes[rank];
}

/** `settled` adds what a call without a word about it takes. */
export function optionsOf(
  recipe: Pick<Recipe, 'rank' | 'saysHeads' | 'options'>,
  sizes: Sizes,
  random: Random,
  settled: (options: Options) => Options = (options) => options,
): Options {
  const { B, H, Hkv, Sq, Skv } = sizes;
  const { rank, saysHeads } = recipe;
  const { scale, softcap, causal, window, queryOffset, kvLengths, attentionMask, mask, alibi, sinks } = recipe.options;
  const packed = rank.endsWith('H·D]');
  const offset = (raw: number) => (raw < 0 ? raw : raw % (Skv + 3));
  const options: Options = {
    ...((rank === 'BSHD' || (saysHeads && rank === 'BHSD')) && { layout: rank }),
    ...((packed || (saysHeads && rank.length === 4)) && {
      numHeads: H,
      ...((saysHeads || Hkv !== H) && { numKvHeads: Hkv }),
    }),
    ...(scale !== undefined && { scale }),
    ...(softcap !== undefined && { softcap }),
    ...(causal !== undefined && { causal }),
    ...(window && { window: window.map((n) => (n < 0 ? n : n % (Skv + 2))) as [number, number] }),
    ...(queryOffset &&
      typeof causal !== 'string' && {
        queryOffset:
          queryOffset.as === 'number'
            ? offset(queryOffset.raw[0] as number)
            : integersAs(queryOffset.as, queryOffset.raw.slice(0, B).map(offset)),
      }),
    ...(kvLengths && {
      kvLengths: integersAs(
        kvLengths.as,
        kvLengths.raw.slice(0, B).map((n) => n % (Skv + 1)),
      ),
    }),
    ...(attentionMask && { attentionMask: keysOf(attentionMask, [B, Skv], random) }),
    ...(alibi !== undefined && {
      alibi:
        typeof alibi === 'boolean'
          ? alibi
          : inType(
              alibi.as,
              floats([H], () => alibi.steepness * random.unit()),
            ),
    }),
    ...(sinks && {
      sinks: inType(
        sinks.as,
        floats([H], (h) => sinks.raw[h % sinks.raw.length] as number),
      ),
    }),
  };
  if (!mask) return options;
  if (!('tree' in mask)) return { ...options, mask: denseMask(mask, sizes, random) };
  const extents = Array.from({ length: B }, (_, b) => ({
    queries: Sq,
    keys: Skv,
    offset: offsetOf(b, sizes, inOracleWords(settled(options))),
  }));
  const { mask: built, rule } = meaningOf(mask.tree, { heads: H, extents });
  return { ...options, mask: built, rule };
}

const floats = (shape: number[], value: (index: number) => number): Floats => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, n) => value(n)),
  shape,
});

/** int8 brings an option with it. */
function stored(
  type: StoredType,
  tensor: Floats,
  sizes: Sizes,
  options: Options,
  name: 'keyScales' | 'valueScales',
): Plain {
  if (type !== 'int8') return inType(type, tensor);
  const { values, scales } = quantised(tensor, [sizes.B, sizes.Hkv, sizes.Skv], options);
  options[name] = scales;
  return values;
}

function integersAs(type: IntegerType, values: number[]): ArrayLike<number | bigint> {
  if (type === 'int64') return BigInt64Array.from(values.map(BigInt));
  return type === 'int32' ? Int32Array.from(values) : values;
}

function keysOf({ as, keep }: { as: string; keep: number }, shape: number[], random: Random): Plain {
  const bits = Array.from({ length: sizeOf(shape) }, () => Number(random.chance(keep)));
  if (as === 'int64') return { data: BigInt64Array.from(bits.map(BigInt)), shape, dtype: 'int64' };
  if (as === 'int32') return { data: Int32Array.from(bits), shape };
  return { data: Uint8Array.from(bits), shape, dtype: as as 'bool' | 'uint8' };
}

function denseMask({ as, ones, absent, last, keep }: MaskRecipe, { B, H, Sq, Skv }: Sizes, random: Random): Plain {
  const short = typeof last === 'object' && Skv > 2 ? 2 + (last.short % (Skv - 2)) : Skv;
  const full = [B, H, Sq].map((n, axis) => (ones[axis] ? 1 : n));
  const shape = [...full.slice(absent), last === 'one' ? 1 : short];
  if (as !== 'bool')
    return inType(
      as,
      floats(shape, () => (random.chance(keep) ? random.normal() * 3 : -Infinity)),
    );
  const data = Uint8Array.from({ length: sizeOf(shape) }, () => (random.chance(keep) ? random.integer(1, 255) : 0));
  return { data, shape, dtype: 'bool' };
}

/** NaN and infinities over keys and values that no query of any head sharing them may attend to. */
function poisonUnseen(tensors: Floats[], { rank }: Recipe, sizes: Sizes, options: Options, random: Random): void {
  const { B, H, Hkv, Sq, Skv } = sizes;
  const { mask } = biasOf(sizes, inOracleWords(options));
  const seen = (b: number, kvHead: number, j: number): boolean => {
    for (let h = kvHead * (H / Hkv); h < (kvHead + 1) * (H / Hkv); h++)
      for (let i = 0; i < Sq; i++) if (mask(b, h, i, j) !== -Infinity) return true;
    return false;
  };
  const headMajor = rank === 'BHSD' || rank === '[H,S,D]';
  for (let b = 0; b < B; b++)
    for (let h = 0; h < Hkv; h++)
      for (let j = 0; j < Skv; j++) {
        if (seen(b, h, j)) continue;
        const row = headMajor ? (b * Hkv + h) * Skv + j : (b * Skv + j) * Hkv + h;
        for (const { data } of tensors) {
          const width = data.length / (B * Hkv * Skv);
          const value = random.pick([NaN, Infinity, -Infinity, undefined]);
          if (value !== undefined) data.fill(value, row * width, (row + 1) * width);
        }
      }
}
