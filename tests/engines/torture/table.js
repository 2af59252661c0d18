// Inputs that break attention elsewhere: a name and a call each, of one batch entry.
let state = 1;
const unit = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
};
/** Numbers in [-size, size), or what `value` makes. */
function tensor(shape, size = 1, value = () => unit() * size) {
  const length = shape.reduce((product, n) => product * n, 1);
  return { data: Float32Array.from({ length }, (_, n) => value(n)), shape };
}

/** Past two blocks of keys, so that a row's largest score and its sum are carried on. */
const keys = 300;
/** Queries, keys and values of these sizes. */
function problem({ H = 2, Hkv = H, Sq = 9, Skv = keys, D = 16, Dv = D, size = 1, values = 1 }, more = {}) {
  return {
    q: tensor([H, Sq, D], size),
    k: tensor([Hkv, Skv, D], size),
    v: tensor([Hkv, Skv, Dv], values),
    ...more,
  };
}
const everywhere = (shape, value) => tensor(shape, 1, () => value);
/** A float mask of 9 queries. */
const masked = (value) => tensor([9, keys], 1, (n) => value(Math.floor(n / keys), n % keys));
/** Keys of which one is the same number everywhere. */
const withKey = (index, value) => ({
  k: tensor([2, keys, 16], 1, (n) => (Math.floor(n / 16) === index ? value : unit())),
});
const odd = [0, -0, 1e-45, -1e-45, 1e-40, -1e-38];

const cases = [
  ['scores of ±10,000', problem({ size: 130 })],
  ['scores of ±10,000, causal', problem({ size: 130, Sq: keys }, { options: { causal: true } })],
  ['scores of ±10,000 by the scale', problem({}, { options: { scale: 4000 } })],
  ['one score far above all others', problem({}, withKey(0, 60))],
  ['one score far above all others, the last', problem({}, withKey(keys - 1, 60))],
  ['one score far below', problem({}, withKey(0, -900))],
  ['one score far below, the last', problem({}, withKey(keys - 1, -900))],
  ['subnormal queries and keys', problem({ size: 1e-40 })],
  ['subnormal values', problem({ values: 1e-39 })],
  ['zeros of both signs and subnormals', { ...problem({}), q: tensor([2, 9, 16], 1, (n) => odd[n % odd.length]) }],
  ['values that are zeros of both signs', { ...problem({}), v: tensor([2, keys, 16], 1, (n) => (n % 2 ? 0 : -0)) }],
  ['large values', problem({ values: 1e30 })],
  ['one key', problem({ Skv: 1 })],
  ['one key attends', problem({}, { mask: masked((i, j) => (j === (i * 31) % keys ? 0 : -Infinity)) })],
  ['one key attends, the others by −1e9', problem({}, { mask: masked((i, j) => (j === (i * 31) % keys ? 0 : -1e9)) })],
  ['every score is −1e9', problem({}, { mask: masked(() => -1e9) })],
  ['rows without a key', problem({}, { mask: masked((i) => (i % 3 === 0 ? -Infinity : 0)) })],
  ['every second key', problem({}, { mask: masked((_, j) => (j % 2 ? -Infinity : 0)) })],
  ['infinities of both signs in turns', problem({}, { mask: masked((i, j) => ((i + j) % 2 ? -Infinity : Infinity)) })],
  ['one +Infinity in a row', problem({}, { mask: masked((i, j) => (i === 4 && j === 5 ? Infinity : 0)) })],
  ['equal scores', { ...problem({}), k: everywhere([2, keys, 16], 0.25) }],
  ['equal scores of 0', { ...problem({}), q: everywhere([2, 9, 16], 0) }],
  ['softcap of 1e-3', problem({}, { options: { softcap: 1e-3 } })],
  ['softcap of 1e-30', problem({}, { options: { softcap: 1e-30 } })],
  ['softcap of 1e4, scores of ±10,000', problem({ size: 130 }, { options: { softcap: 1e4 } })],
  ['softcap of 1e30', problem({}, { options: { softcap: 1e30 } })],
  ['softcap of 50, scores of ±10,000', problem({ size: 130 }, { options: { softcap: 50 } })],
  ['sinks of ±10,000', problem({}, { options: { sinks: { data: Float32Array.of(1e4, -1e4), shape: [2] } } })],
  ['a sink of −Infinity', problem({}, { options: { sinks: { data: Float32Array.of(-Infinity, 0), shape: [2] } } })],
  ['no valid key', problem({}, { options: { kvLengths: [0] } })],
  ['no valid key, but sinks', problem({}, { options: { kvLengths: [0], sinks: everywhere([2], 3) } })],
  ['a window of its own key', problem({ Sq: keys }, { options: { window: [0, 0] } })],
  ['a query before all keys', problem({}, { options: { causal: true, queryOffset: -4 } })],
  ['a query behind all keys', problem({}, { options: { causal: true, queryOffset: 1000 } })],
  ['a scale of 0', problem({}, { options: { scale: 0 } })],
  ['a negative scale', problem({}, { options: { scale: -1 } })],
  ...[1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 64, 65, 255, 256, 257].map((D) => [`D = ${D}`, problem({ D })]),
  ...[1, 3, 257].map((Dv) => [`Dv = ${Dv}`, problem({ Dv })]),
  ...[1, 2, 3, 63, 64, 65, 127, 128, 129].map((S) => [
    `S = ${S}, causal`,
    problem({ Sq: S, Skv: S }, { options: { causal: true } }),
  ]),
  ...[1, 2, 3, 5, 8, 12, 64, 128].map((H) => [`H = ${H}`, problem({ H })]),
  ...[128, 8, 1].map((Hkv) => [`H/Hkv = 128/${Hkv}`, problem({ H: 128, Hkv })]),
  ...[1, 8].map((Hkv) => [
    `H/Hkv = 8/${Hkv}, one query`,
    problem({ H: 8, Hkv, Sq: 1 }, { options: { causal: true, queryOffset: keys - 1 } }),
  ]),
];

/** Few queries take another way through the core: each case also with its first alone. */
const firstQuery = ({ q, mask, ...more }) => {
  const [H, Sq, D] = q.shape;
  const rows = Array.from({ length: H }, (_, h) => [...q.data.subarray(h * Sq * D, (h * Sq + 1) * D)]);
  return {
    ...more,
    q: { data: Float32Array.from(rows.flat()), shape: [H, 1, D] },
    ...(mask && { mask: { data: mask.data.slice(0, keys), shape: [1, keys] } }),
  };
};

export const table = cases.flatMap(([name, call]) =>
  call.q.shape[1] === 1
    ? [[name, call]]
    : [
        [name, call],
        [`${name}, the first query`, firstQuery(call)],
      ],
);
