import { attention, biasOf, type OracleOptions } from './oracle/attention.ts';
import { halves, sizeOf } from './oracle/values.ts';

/** A number of its own for each run, so that runs explore; ATTENTION_WASM_SEED repeats one. Suites print it. */
export const seed = Number(process.env.ATTENTION_WASM_SEED ?? Date.now() % 1_000_000_000);

/** What a package call takes: an ordinary tensor of the given element type. */
export interface Plain {
  data: Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array | BigInt64Array;
  shape: number[];
  dtype?: 'float32' | 'float64' | 'float16' | 'int32' | 'int64' | 'bool' | 'uint8';
}

/** Float32 numbers, as most tests use. */
export type Floats = Plain & { data: Float32Array };

/** Small, seeded and good enough for tests: mulberry32. */
export class Random {
  #state: number;
  constructor(state: number) {
    this.#state = state >>> 0;
  }
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  /** Both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }
  chance(probability: number): boolean {
    return this.unit() < probability;
  }
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)] as T;
  }
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
  floats(length: number, deviation = 1): Float32Array {
    return Float32Array.from({ length }, () => this.normal() * deviation);
  }
  tensor(shape: number[], deviation = 1): Floats {
    return { data: this.floats(sizeOf(shape), deviation), shape };
  }
}

export interface AttentionCase {
  q: Plain;
  k: Plain;
  v: Plain;
  options: OracleOptions & { mask?: Plain; attentionMask?: Plain };
  /** The letters of the case, for messages and shapes. */
  B: number;
  H: number;
  Hkv: number;
  Sq: number;
  Skv: number;
  D: number;
  Dv: number;
  /** An input shape for (heads, length, size). */
  shapeOf(heads: number, length: number, size: number): number[];
}

// Around the widths of vectors and tiles, with short ones more often: a bug at an edge shows at any size.
const lengths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65, 80];
const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 64];

type Rank = '[S,D]' | '[S,H·D]' | '[H,S,D]' | '[B,S,H·D]' | 'BHSD' | 'BSHD';

/** A case with any rank and any combination of options, scores of at most 50, and poison where no query may look. */
export function randomAttention(random: Random): AttentionCase {
  const rank: Rank = random.pick(['[S,D]', '[S,H·D]', '[H,S,D]', '[B,S,H·D]', 'BHSD', 'BSHD']);
  const B = ['[B,S,H·D]', 'BHSD', 'BSHD'].includes(rank) ? random.integer(1, 3) : 1;
  const Hkv = rank === '[S,D]' ? 1 : random.integer(1, 3);
  const H = rank === '[S,D]' ? 1 : Hkv * random.pick([1, 1, 2, 3]);
  const short = () => lengths[Math.floor(random.unit() ** 1.7 * lengths.length)] as number;
  const Sq = random.chance(0.02) ? 0 : short();
  const Skv = random.chance(0.02) ? 0 : random.chance(0.3) && Sq > 0 ? Sq : short();
  const D = random.pick(sizes);
  const Dv = random.chance(0.5) ? D : random.pick(sizes);
  const shapeOf = (heads: number, length: number, size: number): number[] => {
    if (rank === '[S,D]') return [length, size];
    if (rank === '[S,H·D]') return [length, heads * size];
    if (rank === '[H,S,D]') return [heads, length, size];
    if (rank === '[B,S,H·D]') return [B, length, heads * size];
    return rank === 'BHSD' ? [B, heads, length, size] : [B, length, heads, size];
  };

  const options: AttentionCase['options'] = {};
  if (rank === 'BSHD' || random.chance(0.1)) options.layout = rank === 'BSHD' ? 'BSHD' : 'BHSD';
  if (rank === '[S,H·D]' || rank === '[B,S,H·D]' || (rank.startsWith('B') && random.chance(0.2))) {
    options.numHeads = H;
    if (Hkv !== H || random.chance(0.3)) options.numKvHeads = Hkv;
  }
  if (random.chance(0.3)) options.scale = random.pick([1, 0.125, 0.01, -0.3, 0]);
  addRules(random, options, { B, H, Sq, Skv });

  const c = { options, B, H, Hkv, Sq, Skv, D, Dv, shapeOf };
  const deviation = random.pick([0.1, 1, 1, 3]);
  const q = random.tensor(shapeOf(H, Sq, D), deviation);
  const k = random.tensor(shapeOf(Hkv, Skv, D), deviation);
  const v = random.tensor(shapeOf(Hkv, Skv, Dv), random.pick([0.1, 1, 10]));
  const top = attention(q, k, v, options).scores.data.reduce((most, s) => Math.max(most, Math.abs(s)), 0);
  if (top > 49) q.data.set(q.data.map((x) => (x * 49) / top));
  if (random.chance(0.3)) poisonUnseenKeys(random, k, v, c);
  const as = (tensor: Plain): Plain => (random.chance(0.1) ? inOtherType(random, tensor) : tensor);
  return { ...c, q: as(q), k: as(k), v: as(v) };
}

type Letters = Pick<AttentionCase, 'B' | 'H' | 'Sq' | 'Skv'>;

function addRules(random: Random, options: AttentionCase['options'], { B, H, Sq, Skv }: Letters): void {
  if (random.chance(0.4)) options.causal = random.pick([true, true, 'upper-left', 'lower-right', false] as const);
  const offset = () => random.integer(-3, Skv);
  if ((options.causal === true || !options.causal) && random.chance(0.3))
    options.queryOffset = random.chance(0.5)
      ? offset()
      : random.chance(0.5)
        ? Array.from({ length: B }, offset)
        : Int32Array.from({ length: B }, offset);
  if (random.chance(0.3)) {
    const values = Array.from({ length: B }, () => random.integer(0, Skv));
    options.kvLengths = random.chance(0.3) ? BigInt64Array.from(values.map(BigInt)) : values;
  }
  if (random.chance(0.3)) options.attentionMask = randomKeys(random, [B, Skv]);
  if (random.chance(0.5)) options.mask = randomMask(random, { B, H, Sq, Skv });
}

function randomKeys(random: Random, shape: number[]): Plain {
  const keep = random.pick([0.5, 0.9, 0.9]);
  const bits = Array.from({ length: sizeOf(shape) }, () => (random.chance(keep) ? 1 : 0));
  if (random.chance(0.3)) return { data: BigInt64Array.from(bits.map(BigInt)), shape, dtype: 'int64' };
  if (random.chance(0.3)) return { data: Int32Array.from(bits), shape };
  return { data: Uint8Array.from(bits), shape, dtype: 'bool' };
}

/** Bool or float, each leading axis whole, 1 or absent, the last one whole, 1 or short. */
function randomMask(random: Random, { B, H, Sq, Skv }: Letters): Plain {
  const last = random.chance(0.15) ? 1 : random.chance(0.2) && Skv > 2 ? random.integer(2, Skv - 1) : Skv;
  const full = [B, H, Sq].map((n) => (random.chance(0.3) ? 1 : n));
  const shape = [...full.slice(random.integer(0, 3)), last];
  const length = sizeOf(shape);
  const keep = random.pick([0, 0.3, 0.8, 0.8, 1]);
  if (random.chance(0.5))
    return {
      data: Uint8Array.from({ length }, () => (random.chance(keep) ? random.integer(1, 255) : 0)),
      shape,
      dtype: 'bool',
    };
  const data = Float32Array.from({ length }, () => (random.chance(keep) ? random.normal() * 3 : -Infinity));
  return { data, shape };
}

/** Writes NaN and infinities over the keys and values that no query of any head sharing them may attend to. */
function poisonUnseenKeys(random: Random, k: Plain, v: Plain, c: Omit<AttentionCase, 'q' | 'k' | 'v'>): void {
  const { B, H, Hkv, Sq, Skv, options } = c;
  const bias = biasOf(Sq, Skv, options);
  const seen = (b: number, kvHead: number, j: number): boolean => {
    for (let h = 0; h < H; h++)
      for (let i = 0; i < Sq; i++)
        if (Math.floor((h * Hkv) / H) === kvHead && bias(b, h, i, j) !== -Infinity) return true;
    return false;
  };
  for (let b = 0; b < B; b++)
    for (let h = 0; h < Hkv; h++)
      for (let j = 0; j < Skv; j++) {
        if (seen(b, h, j)) continue;
        const poison = random.pick([NaN, Infinity, -Infinity]);
        for (const tensor of [k, v]) fillRow(tensor, c, [b, h, j], poison);
      }
}

function fillRow(
  tensor: Plain,
  c: Omit<AttentionCase, 'q' | 'k' | 'v'>,
  at: [number, number, number],
  value: number,
): void {
  const [b, h, j] = at;
  const { B, Hkv, Skv, options } = c;
  const width = sizeOf(tensor.shape) / (B * Hkv * Skv);
  const tokenMajor = tensor.shape.length === 4 ? options.layout === 'BSHD' : options.numHeads !== undefined;
  const row = tokenMajor ? (b * Skv + j) * Hkv + h : (b * Hkv + h) * Skv + j;
  (tensor.data as Float32Array).fill(value, row * width, (row + 1) * width);
}

function inOtherType(random: Random, { data, shape }: Plain): Plain {
  if (random.chance(0.5)) return { data: Float64Array.from(data as Float32Array), shape };
  return { data: halves(data as Float32Array), shape, dtype: 'float16' };
}
