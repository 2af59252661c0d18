import type { AttentionErrorCode, KvCache } from 'attention-wasm';
import type { Twin } from '../kv-cache-twin.ts';
import type { Plain, Random } from '../random.ts';
import type { wrongs } from './cache-recipe.ts';

interface Sizes {
  B: number;
  H: number;
  Hkv: number;
  D: number;
  Dv: number;
}
type Refusal = [call: (cache: KvCache) => unknown, code: AttentionErrorCode, argument?: string];

/** One of the wrong calls, which leaves the cache as it was. */
export function wrongStep(
  twin: Twin,
  what: (typeof wrongs)[number],
  sizes: Sizes,
  random: Random,
  seen: (what: string) => void,
): void {
  seen(what);
  if (!twin.model.hasRoomFor(3)) return;
  twin.refuses(...refusal(twin, what, sizes, random));
}

function refusal({ cache, model }: Twin, what: (typeof wrongs)[number], sizes: Sizes, random: Random): Refusal {
  const { B, H, Hkv, D, Dv } = sizes;
  const [q, k] = [random.tensor([B, H, 2, D]), random.tensor([B, Hkv, 3, D])];
  const v = random.tensor([B, Hkv, 3, Dv]);
  const attend =
    (options: object): Refusal[0] =>
    (cache) =>
      cache.attend(q, k, v, options as never);
  const sinks: Plain = random.tensor([H + 1]);
  const mask: Plain = random.tensor([model.length + 4]);
  const bytes = () => {
    const bytes = cache.toBytes();
    const place = random.integer(0, bytes.length - 1);
    bytes[place] = (bytes[place] as number) ^ (1 << random.integer(0, 7));
    return bytes;
  };
  const table: Record<(typeof wrongs)[number], Refusal> = {
    'keys of another size': [(c) => c.append(random.tensor([B, Hkv, 3, D + 1]), v), 'SHAPE_MISMATCH', 'k'],
    'values of another length': [(c) => c.append(k, random.tensor([B, Hkv, 4, Dv])), 'SHAPE_MISMATCH', 'v'],
    'keys without values': [(c) => c.attend(q, k, null), 'INVALID_ARGUMENT'],
    'an unknown option': [attend({ casual: true }), 'INVALID_ARGUMENT', 'options.casual'],
    'a mask that does not fit': [attend({ mask }), 'SHAPE_MISMATCH', 'options.mask'],
    "causal 'upper-left'": [attend({ causal: 'upper-left' }), 'INVALID_ARGUMENT', 'options.causal'],
    'lengths past the keys': [
      attend({ kvLengths: Array(B).fill(model.length + 4) }),
      'INVALID_ARGUMENT',
      'options.kvLengths',
    ],
    'sinks for other heads': [attend({ sinks }), 'SHAPE_MISMATCH', 'options.sinks'],
    'truncate past the end': [(c) => c.truncate(model.length + 1), 'INVALID_ARGUMENT', 'length'],
    'truncate below 0': [(c) => c.truncate(-1), 'INVALID_ARGUMENT', 'length'],
    'reorder by what is no entry': [(c) => c.reorder(Array(B).fill(B)), 'INVALID_ARGUMENT', 'batch'],
    'a byte changed': [(c) => c.load(bytes()), 'CORRUPT_FILE', 'bytes'],
  };
  return table[what];
}
