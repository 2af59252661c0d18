// What is to be reached, and what of it the results reach: a line per target with its worst case.
import { format } from './statistics.mjs';

const plain = 'simd';
const relaxed = 'relaxed-simd';
const upTo2048 = ({ length }) => length >= 128 && length <= 2048;
const tokens = ({ length }) => `${length} tokens`;
const figure = (key) => (row) => row[key];
/** Of a figure with spread, its median. */
const middle = (value) => value?.median ?? value;

/** Over `rows` of a section, the median of every `value` is at least or at most so much. `place` says where one is. */
export const targets = [
  ...both([2.2, 1.75], (who, atLeast) => ({
    what: `attention, times onnxruntime-web, ${who}`,
    section: 'attention',
    rows: (row) => row.who === who && row.mask === 'full' && upTo2048(row),
    value: figure('faster'),
    place: tokens,
    atLeast,
  })),
  ...both([4.1, 3.2], (who, atLeast) => ({
    // Beside its own causal operators, which compute every pair.
    what: `causal attention, times onnxruntime-web, ${who}`,
    section: 'attention',
    rows: (row) => row.who === who && row.mask === 'causal' && upTo2048(row),
    value: figure('faster'),
    place: tokens,
    atLeast,
  })),
  ...both([0.88, 0.82], (variant, atLeast) => ({
    what: `share of the register tile, 512 tokens or more, ${variant}`,
    section: 'limit',
    rows: (row) => row.variant === variant && row.length >= 512,
    value: figure('share'),
    place: tokens,
    atLeast,
  })),
  ...both([0.8, 0.76], (variant, atLeast) => ({
    what: `share of the register tile, 128 tokens, ${variant}`,
    section: 'limit',
    rows: (row) => row.variant === variant && row.length === 128,
    value: figure('share'),
    place: tokens,
    atLeast,
  })),
  ...both([0.56, 0.56], (variant, atMost) => ({
    what: `causal time of full, 2,048 tokens, ${variant}`,
    section: 'limit',
    rows: (row) => row.variant === variant && row.length === 2048,
    value: figure('causalShare'),
    place: tokens,
    atMost,
  })),
  ...both([2.1, 2.1], (variant, atMost) => ({
    what: `window of 256, 32,768 tokens to 16,384, ${variant}`,
    section: 'growth',
    rows: (row) => row.variant === variant,
    value: figure('ratio'),
    place: tokens,
    atMost,
  })),
  ...both([0.15, 0.15], (variant, atMost) => ({
    what: `block-sparse time off what density says, ${variant}`,
    section: 'density',
    rows: (row) => row.variant === variant,
    value: ({ proportion }) => Math.abs(proportion.median - 1),
    place: ({ density }) => `density ${format(density)}`,
    atMost,
  })),
  ...both([0.7, 0.7], (variant, atLeast) => ({
    what: `decode, 4,096 keys, 8 K/V heads, share of the lower limit, ${variant}`,
    section: 'decode',
    rows: (row) => isDecode(row, variant, 8, 'float32'),
    value: figure('share'),
    place: ({ keys }) => `${keys} keys`,
    atLeast,
  })),
  ...[
    [8, 1.3],
    [32, 2],
  ].flatMap(([kvHeads, times]) =>
    both([times, times], (variant, atLeast) => ({
      what: `decode, 4,096 keys, ${kvHeads} K/V heads, int8 times float32, ${variant}`,
      section: 'decode',
      rows: (row) => isDecode(row, variant, kvHeads, 'int8'),
      value: figure('faster'),
      place: ({ keys }) => `${keys} keys`,
      atLeast,
    })),
  ),
  {
    what: 'decode, bytes of int8 to float32',
    section: 'decode',
    rows: ({ dtype }) => dtype === 'int8',
    value: figure('bytesShare'),
    place: ({ keys }) => `${keys} keys`,
    atMost: 0.27,
  },
  {
    what: 'two threads, times one, 1,024 tokens',
    section: 'threads',
    rows: ({ who, threads }) => who === 'attention-wasm' && threads === 2,
    value: figure('faster'),
    atLeast: 1.85,
  },
  ...[
    ['resident tensors', 3],
    ['plain arrays', 6],
  ].map(([inputs, atMost]) => ({
    what: `small call, ${inputs}, µs`,
    section: 'calls',
    rows: (row) => row.inputs === inputs,
    value: figure('microseconds'),
    place: ({ variant }) => variant,
    atMost,
  })),
  ...[
    ['fasterThanOnnxruntime', 'onnxruntime-web', 1.8],
    ['fasterThanCandle', 'Candle', 2.8],
  ].flatMap(([key, peer, atLeast]) =>
    [relaxed, plain].map((who) => ({
      what: `all-MiniLM-L6-v2, times ${peer}, ${who}`,
      section: 'model',
      rows: (row) => row.who === who,
      value: figure(key),
      place: (row) => `${row.tokens} tokens`,
      atLeast,
    })),
  ),
  {
    what: 'attention, bytes beside inputs and outputs',
    section: 'memory',
    rows: ({ call }) => call.startsWith('attention,'),
    value: figure('bytes'),
    place: ({ call }) => call,
    atMost: 2 ** 20,
  },
  {
    what: 'attentionMap, bytes beside inputs',
    section: 'memory',
    rows: ({ call }) => call.startsWith('attentionMap'),
    value: figure('bytes'),
    place: ({ call }) => call,
    atMost: 16 * 2 ** 20,
  },
  {
    what: 'forward of all-MiniLM-L6-v2, 512 tokens, bytes beside its weights',
    section: 'memory',
    rows: ({ call }) => call.startsWith('forward'),
    value: figure('bytes'),
    atMost: 24e6,
  },
  ...[
    ['raw', 150_000],
    ['brotli', 60_000],
  ].map(([key, atMost]) => ({
    what: `module, bytes ${key}`,
    section: 'sizes',
    rows: ({ file }) => /^attention.*\.wasm$/.test(file),
    value: figure(key),
    place: ({ file }) => file,
    atMost,
  })),
  {
    what: 'what one call fetches besides, bytes brotli',
    section: 'sizes',
    rows: ({ file }) => file.startsWith('JavaScript'),
    value: figure('brotli'),
    atMost: 25_000,
  },
  {
    what: 'createAttention() in Node.js, ms',
    section: 'load',
    rows: () => true,
    value: figure('creating'),
    place: ({ variant }) => variant,
    atMost: 30,
  },
];

export const targetColumns = { what: 'what', wanted: 'wanted', measured: 'measured', place: 'worst at', met: 'met' };

/** A row for each target of `sections`. What was not measured, or is not in this build, is neither met nor missed. */
export function judged(results, sections) {
  const wantedTargets = targets.filter(({ section }) => !sections || sections.includes(section));
  return wantedTargets.map(({ what, section, rows, value, place = () => '', atLeast, atMost }) => {
    const wanted = atLeast === undefined ? `≤ ${format(atMost)}` : `≥ ${format(atLeast)}`;
    const cases = (results[section] ?? []).filter((row) => rows(row) && value(row) !== undefined);
    if (cases.length === 0) return { what, wanted, measured: 'not measured', place: '', met: '' };
    const size = (row) => middle(value(row));
    cases.sort((a, b) => (atLeast === undefined ? size(b) - size(a) : size(a) - size(b)));
    const worst = cases.find((row) => Number.isNaN(size(row))) ?? cases[0];
    const isMet = atLeast === undefined ? size(worst) <= atMost : size(worst) >= atLeast;
    return { what, wanted, measured: value(worst), place: place(worst), met: isMet ? 'yes' : 'NO' };
  });
}

/** A target of each variant, `values` for relaxed and for plain SIMD. */
function both(values, target) {
  return [relaxed, plain].map((variant, at) => target(variant, values[at]));
}

function isDecode(row, variant, kvHeads, dtype) {
  return row.variant === variant && row.keys === 4096 && row.kvHeads === kvHeads && row.dtype === dtype;
}
