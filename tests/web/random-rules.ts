import type { AttentionRules } from 'attention-wasm';
import { bits, fitOf, type Told } from './mask-builders.ts';
import { randomTree } from './mask-trees.ts';
import type { OracleOptions } from './oracle/attention.ts';
import * as masks from './oracle/masks.ts';
import { sizeOf } from './oracle/values.ts';
import type { Plain, Random } from './random.ts';

export interface Sizes {
  readonly B: number;
  readonly H: number;
  readonly Sq: number;
  readonly Skv: number;
}

/** Options of a call, and what the Mask among them means where there is one. */
export interface Rules {
  options: Pick<AttentionRules, 'scale' | 'causal' | 'window' | 'queryOffset' | 'softcap'> & {
    mask?: Plain | Told['mask'];
    attentionMask?: Plain;
    alibi?: boolean | Plain;
    sinks?: Plain;
    kvLengths?: number[];
  };
  told?: Told;
}

/** Any combination of everything that decides what a query sees and how a score is made. */
export function randomRules(random: Random, sizes: Sizes): Rules {
  const { B, H, Skv } = sizes;
  const each = (value: () => number) => Array.from({ length: B }, value);
  const offset = () => random.integer(-3, Skv);
  const options: Rules['options'] = {};
  if (random.chance(0.4)) options.causal = random.pick([true, true, 'upper-left', 'lower-right', false] as const);
  if (typeof options.causal !== 'string' && random.chance(0.3))
    options.queryOffset = random.chance(0.5) ? offset() : each(offset);
  if (random.chance(0.2)) options.window = [random.integer(-1, Skv), random.integer(-1, Skv)];
  if (random.chance(0.2)) options.kvLengths = each(() => random.integer(0, Skv));
  if (random.chance(0.2)) options.attentionMask = bits(random, [B, Skv], 0.8);
  if (random.chance(0.2)) options.softcap = random.pick([0, 0.5, 3, 30]);
  if (random.chance(0.2)) options.scale = random.pick([1, 0.1, -0.3, 0]);
  if (random.chance(0.2))
    options.alibi = random.chance(0.5) || { data: random.floats(H, 0.3).map(Math.abs), shape: [H] };
  if (random.chance(0.2)) options.sinks = random.tensor([H], 2);
  if (!random.chance(0.5)) return { options };
  if (random.chance(0.5)) return { options: { ...options, mask: denseMask(random, sizes) } };
  const told = randomTree(random, fitOf(shapeOf(options, sizes)), 2);
  return { options: { ...options, mask: told.mask }, told };
}

function denseMask(random: Random, { B, H, Sq, Skv }: Sizes): Plain {
  const full = [B, H, Sq].map((n) => (random.chance(0.3) ? 1 : n));
  const last = random.chance(0.2) && Skv > 2 ? random.integer(2, Skv - 1) : random.chance(0.1) ? 1 : Skv;
  const shape = [...full.slice(random.integer(0, 3)), last];
  if (random.chance(0.5)) return bits(random, shape, random.pick([0.3, 0.8]));
  const values = { length: sizeOf(shape) };
  return { data: Float32Array.from(values, () => (random.chance(0.7) ? random.normal() : -Infinity)), shape };
}

/** The offset of batch entry b: as given, or from the number of valid keys for 'lower-right', or 0. */
export const offsetOf = (
  { causal, queryOffset, kvLengths }: Rules['options'],
  b: number,
  Sq: number,
  Skv: number,
): number =>
  queryOffset !== undefined
    ? Number(typeof queryOffset === 'number' ? queryOffset : queryOffset[b])
    : causal === 'lower-right'
      ? (kvLengths?.[b] ?? Skv) - Sq
      : 0;

const shapeOf = (options: Rules['options'], { B, H, Sq, Skv }: Sizes) => ({
  batch: B,
  heads: H,
  queries: Sq,
  keys: Skv,
  queryOffset: Array.from({ length: B }, (_, b) => offsetOf(options, b, Sq, Skv)),
});

/** The same options for the oracle, a Mask written out pair by pair. */
export const exactly = ({ options, told }: Rules, sizes: Sizes): OracleOptions => ({
  ...(options as OracleOptions),
  ...(told && { mask: masks.toDense(told.rule, shapeOf(options, sizes)) }),
});

/** A failure that says which options it came with. */
export function telling(rules: Rules, more: object, run: () => void): void {
  try {
    run();
  } catch (error) {
    const short = (_: string, value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as never) : value);
    const { mask, ...options } = rules.options;
    const text = JSON.stringify({ ...more, ...options, mask: rules.told?.text ?? mask }, short).slice(0, 3000);
    throw new Error(`${error} with ${text}`, { cause: error });
  }
}
