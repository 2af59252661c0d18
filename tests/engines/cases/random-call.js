import { Numbers } from './numbers.js';

const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 31, 33, 48, 63, 64, 65, 95, 97, 127, 129, 192, 257];
const widths = [1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 31, 32, 33, 40, 48, 64, 65, 80, 96, 128, 130];
const stages = ['scores', 'softcapped', 'biased', 'probabilities'];

/** A call of any shape with any options, the same for the same n. */
export function randomCall(n) {
  const numbers = new Numbers(n);
  const sizes = {
    B: numbers.integer(1, 2),
    Hkv: numbers.integer(1, 2),
    groups: numbers.pick([1, 1, 2, 3]),
    Sq: numbers.pick(lengths),
    Skv: numbers.pick(lengths),
    D: numbers.pick(widths),
    Dv: numbers.pick(widths),
  };
  const form = numbers.pick(['BHSD', 'BSHD', 'packed']);
  return [
    `call ${n}: ${form} ${JSON.stringify(sizes)}`,
    (attention) => attend(attention, form, sizes, new Numbers(10_000 + n)),
  ];
}

function attend(attention, form, sizes, numbers) {
  const { B, Hkv, groups, Sq, Skv, D, Dv } = sizes;
  const H = Hkv * groups;
  const shape = (heads, S, size) =>
    ({ BHSD: [B, heads, S, size], BSHD: [B, S, heads, size], packed: [B, S, heads * size] })[form];
  const tensor = (...axes) =>
    numbers.chance(0.15) ? numbers.halves(shape(...axes)) : numbers.tensor(shape(...axes), numbers.pick([1, 2, 8]));
  const [q, k, v] = [tensor(H, Sq, D), tensor(Hkv, Skv, D), tensor(Hkv, Skv, Dv)];
  const layout = form === 'packed' ? { numHeads: H, numKvHeads: Hkv } : { layout: form };
  return attention.scaledDotProductAttention(q, k, v, { ...layout, ...randomOptions(numbers, { ...sizes, H }) });
}

function randomOptions(numbers, { B, H, Sq, Skv }) {
  const perBatch = (low, high) => Array.from({ length: B }, () => numbers.integer(low, high));
  const choices = {
    scale: () => numbers.pick([0.5, -0.25, 0.0625, 0]),
    softcap: () => numbers.pick([0.5, 5, 30]),
    causal: () => numbers.pick([true, 'upper-left', 'lower-right']),
    window: () => [numbers.integer(-1, Skv), numbers.integer(-1, Skv)],
    queryOffset: () => perBatch(-2, Skv),
    kvLengths: () => perBatch(0, Skv),
    attentionMask: () => numbers.bools([B, Skv], 0.8),
    mask: () => numbers.pick([() => numbers.bools([Sq, Skv]), () => numbers.tensor([B, 1, Sq, Skv], 4)])(),
    alibi: () => numbers.pick([() => true, () => numbers.tensor([H], 0.5)])(),
    sinks: () => numbers.tensor([H], 4),
    weights: () => numbers.pick([true, ...stages]),
    logSumExp: () => true,
  };
  const options = {};
  for (const [name, choose] of Object.entries(choices)) if (numbers.chance(0.3)) options[name] = choose();
  if (typeof options.causal === 'string') delete options.queryOffset;
  return options;
}
