import type { Attention } from 'attention-wasm';
import type { Options } from '../against-oracle.ts';
import type { CacheConfig } from '../kv-cache-model.ts';
import { Twin } from '../kv-cache-twin.ts';
import { inType, type Plain, Random } from '../random.ts';
import { type CacheRecipe, ranks, type Step, type StepOf } from './cache-recipe.ts';
import { wrongStep } from './cache-wrong.ts';
import { mannerOf, optionsOf, shapeOf } from './call.ts';
import type { FloatType, Recipe } from './recipe.ts';

/** Told of everything that happens, so that a test can see that everything does. */
export type Seen = (what: string) => void;

/** Lives the life a recipe tells, in a cache and in its model, and holds one against the other all the way. */
export function liveThrough(engine: Attention, recipe: CacheRecipe, seen: Seen): void {
  const life = new Life(engine, recipe, seen);
  try {
    for (const step of recipe.steps) life.take(step);
  } finally {
    life.end();
  }
}

const mostCaches = 3;

class Life {
  readonly #recipe: CacheRecipe;
  readonly #sizes: CacheRecipe['sizes'] & { Dv: number; H: number };
  readonly #random: Random;
  readonly #seen: Seen;
  readonly #config: CacheConfig;
  #twins: Twin[];

  constructor(engine: Attention, recipe: CacheRecipe, seen: Seen) {
    this.#recipe = recipe;
    this.#sizes = sizesOf(recipe);
    this.#random = new Random(recipe.seed);
    this.#seen = seen;
    this.#config = configOf(recipe, this.#sizes);
    for (const [name, value] of Object.entries(this.#config))
      seen(name === 'dtype' ? `dtype ${value}` : `config ${name}`);
    this.#twins = [new Twin(engine, this.#config)];
  }

  end(): void {
    for (const twin of this.#twins) twin.dispose();
  }

  take(step: Step): void {
    const place = step.on % this.#twins.length;
    const twin = this.#twins[place] as Twin;
    this.#seen(step.do);
    if (step.do === 'append') this.#append(twin, step);
    else if (step.do === 'attend') this.#attend(twin, step);
    else if (step.do === 'look') this.#look(twin, step);
    else if (step.do === 'truncate') this.#truncate(twin, step.raw);
    else if (step.do === 'reorder') this.#reorder(twin, step);
    else if (step.do === 'clear') twin.clear();
    else if (step.do === 'wrong') wrongStep(twin, step.what, this.#sizes, this.#random, this.#seen);
    else this.#replace(twin, place, step.do);
    const { held, length } = twin.model;
    if (held < length) this.#seen('keys are gone');
    if (length > 128) this.#seen('more than 128 keys');
  }

  #append(twin: Twin, step: StepOf<'append'>): void {
    const { Hkv } = this.#sizes;
    const rank = this.#rankOf(step.rank, 'append');
    const [k, v] = this.#keysAndValues(step, rank);
    const axes = {
      ...((rank === 'BSHD' || (step.saysHeads && rank === 'BHSD')) && { layout: rank as 'BSHD' }),
      ...((rank.endsWith('H·D]') || (step.saysHeads && rank.length === 4)) && { numKvHeads: Hkv }),
    };
    if (twin.model.hasRoomFor(step.count)) twin.append(k, v, axes);
    else this.#overflow(twin, (cache) => cache.append(k, v, axes));
  }

  #attend(twin: Twin, step: StepOf<'attend'>): void {
    const Sq = step.queries ?? step.count;
    const rank = this.#rankOf(step.rank, 'attend');
    const [k, v] = this.#keysAndValues(step, rank);
    const options = this.#optionsOf(twin, step, rank, Sq, step.count);
    const q = this.#queries(rank, Sq, step.types[0], options);
    const manner = mannerOf(step, { ...options, q, k, v });
    if (!twin.model.hasRoomFor(step.count)) {
      const { rule: _, ...given } = options;
      this.#overflow(twin, (cache) => cache.attend(q, k, v, given as object));
      return;
    }
    this.#tell(options, manner, Sq);
    twin.attend([q, k, v], options, manner);
  }

  #look(twin: Twin, step: StepOf<'look'>): void {
    const rank = this.#rankOf(step.rank, 'attend');
    const options = this.#optionsOf(twin, step, rank, step.queries, 0);
    const q = this.#queries(rank, step.queries, step.types[0], options);
    const manner = mannerOf(step, { ...options, q });
    this.#tell(options, manner, step.queries);
    twin.attend([q, null, null], options, manner);
  }

  #truncate(twin: Twin, raw: number): void {
    const length = raw % (twin.model.length + 1);
    if (twin.model.canTruncate(length)) {
      twin.truncate(length);
      return;
    }
    this.#seen('truncate into what is gone');
    twin.refuses((cache) => cache.truncate(length), 'INVALID_ARGUMENT', 'length');
  }

  #reorder(twin: Twin, { raw, as }: StepOf<'reorder'>): void {
    const { B } = this.#sizes;
    const batch = raw.slice(0, B).map((n) => n % B);
    twin.reorder(batch, as === 'int64' ? BigInt64Array.from(batch.map(BigInt)) : batch);
  }

  #replace(twin: Twin, place: number, what: 'fork' | 'reload' | 'dispose'): void {
    if (what === 'reload') {
      this.#twins[place] = twin.reloaded();
      twin.dispose();
    } else if (what === 'fork') {
      this.#twins.push(twin.fork());
      if (this.#twins.length > mostCaches) this.#twins.shift()?.dispose();
    } else if (this.#twins.length > 1) {
      this.#twins.splice(place, 1);
      twin.dispose();
      twin.dispose();
    }
  }

  #overflow(twin: Twin, call: Parameters<Twin['refuses']>[0]): void {
    this.#seen('no room');
    twin.refuses(call, 'CAPACITY_EXCEEDED');
  }

  #tell(options: Options, { weights, logSumExp, out, resident }: ReturnType<typeof mannerOf>, Sq: number): void {
    for (const name of Object.keys(options)) this.#seen(`options.${name}`);
    if (options.mask) this.#seen(options.rule ? 'a rule' : 'a dense mask');
    if (weights !== undefined) this.#seen(`weights ${weights}`);
    if (logSumExp) this.#seen('logSumExp');
    if (out) this.#seen(`out ${out}`);
    for (const name of resident ?? []) this.#seen(`resident ${name}`);
    if (Sq > 9) this.#seen('many queries');
  }

  #rankOf(raw: number, use: 'append' | 'attend'): Recipe['rank'] {
    const { B, Hkv, H } = this.#sizes;
    const heads = use === 'append' ? Hkv : Math.max(H, Hkv);
    const possible = ranks.filter((rank) => (B === 1 || rank.includes('B')) && (heads === 1 || rank !== '[S,D]'));
    const rank = possible[raw % possible.length] as Recipe['rank'];
    this.#seen(`${use} ${rank}`);
    return rank;
  }

  #keysAndValues(
    { count, types, poison }: StepOf<'append'> | StepOf<'attend'>,
    rank: Recipe['rank'],
  ): [k: Plain, v: Plain] {
    const { B, Hkv, D, Dv } = this.#sizes;
    for (const type of types) this.#seen(`given ${type}`);
    const tensor = (size: number, deviation: number, type: FloatType, poisons: readonly number[]) => {
      const floats = this.#random.tensor(shapeOf(rank, B, Hkv, count, size), deviation);
      if (poison !== undefined) floats.data[poison % floats.data.length] = this.#random.pick(poisons);
      return inType(type, floats);
    };
    if (poison !== undefined) this.#seen('poison');
    const keys = tensor(D, 1, types[1], [NaN, Infinity, -Infinity]);
    // No infinite value: of a probability that is 0 in float32 alone it makes NaN, where doubles keep the infinity.
    return [keys, tensor(Dv, this.#recipe.values, types[2], [NaN])];
  }

  /** Scores have the deviation of the recipe: Σ q·k of D products of unit normals has √D. */
  #queries(rank: Recipe['rank'], Sq: number, type: FloatType, { scale }: Options): Plain {
    const { B, H, D } = this.#sizes;
    const deviation = this.#recipe.scores / (Math.abs(scale || 1 / Math.sqrt(D)) * Math.sqrt(D));
    return inType(type, this.#random.tensor(shapeOf(rank, B, H, Sq, D), deviation));
  }

  #optionsOf(
    twin: Twin,
    step: StepOf<'attend'> | StepOf<'look'>,
    rank: Recipe['rank'],
    Sq: number,
    count: number,
  ): Options {
    const sizes = { ...this.#sizes, Sq, Skv: twin.model.length + count };
    const settled = (options: Options) => twin.model.settled(options, step.do === 'attend');
    const options = optionsOf({ ...step, rank }, sizes, this.#random, settled);
    if (!step.saysHeads) delete options.numKvHeads; // the cache knows
    return options;
  }
}

function sizesOf({ sizes, steps }: CacheRecipe) {
  const isLong = steps.some((step) => step.do === 'attend' && Math.max(step.count, step.queries ?? 0) > 9);
  const { B, Hkv, groups, D, Dv = D } = sizes;
  return isLong
    ? { B: Math.min(2, B), Hkv: 1, groups, H: groups, D: Math.min(16, D), Dv: Math.min(16, Dv) }
    : { B, Hkv, groups, H: Hkv * groups, D, Dv };
}

function configOf(
  { sizes: given, dtype, window, room, steps }: CacheRecipe,
  sizes: ReturnType<typeof sizesOf>,
): CacheConfig {
  const { B, Hkv, D, Dv } = sizes;
  const all = steps.reduce((sum, step) => sum + ('count' in step ? step.count : 0), 1);
  const { size = 0, sinks = 0, spare } = window ?? {};
  return {
    ...(B > 1 && { batch: B }),
    numKvHeads: Hkv,
    headDim: D,
    ...(given.Dv !== undefined && { valueDim: Dv }),
    ...(dtype && { dtype }),
    ...(window && { window: size }),
    ...(window?.sinks !== undefined && { sinkTokens: sinks }),
    ...(!window && { capacity: room ?? all }),
    // The same room by either name.
    ...(window && spare !== undefined && (spare % 2 ? { rollback: spare } : { capacity: size + sinks + spare })),
  };
}
