// Charts of bars with their numbers beside them.
import * as Plot from '@observablehq/plot';
import { format } from '../statistics.mjs';
import { colourOf, nameOf } from './who.mjs';

export function peerSpeed({ attention, limit = [] }) {
  const full = attention.filter(({ mask }) => mask === 'full');
  const length = Math.max(...full.map((row) => row.length).filter((tokens) => tokens <= 1024));
  const rows = full.filter((row) => row.length === length).map((row) => bar(row.who, row.who, row.gigaflops));
  const tiles = limit.filter((row) => row.length === length).map((row) => bar(row.variant, row.variant, row.tile));
  return {
    file: 'peers.svg',
    title: `Speed of attention at ${length} tokens`,
    description: `Billions of operations a second, 12 heads of 64, copies included: ${listed(rows)}. The register tile alone: ${listed(tiles)}.`,
    plot: bars({ rows, ticks: tiles, tickName: 'tile alone', unit: 'GFLOP/s' }),
  };
}

export function modelTime({ model }) {
  const rows = model.map((row) =>
    bar(row.who, row.who, { median: (1000 * row.ms.median) / row.tokens }, `${row.tokens} tokens`),
  );
  return {
    file: 'model.svg',
    title: 'Time of all-MiniLM-L6-v2 a token',
    description: `Microseconds a token of one forward pass: ${listed(rows)}.`,
    plot: bars({ rows, unit: 'µs a token' }),
  };
}

export function decodeSpeed({ decode }) {
  const measured = decode.filter(({ keys, variant }) => keys === 4096 && variant === 'relaxed-simd');
  const made = (key) => measured.map((row) => bar(row.dtype, row.variant, row[key], `${row.kvHeads} K/V heads`));
  const [rows, ticks] = [made('bandwidth'), made('readBandwidth')];
  return {
    file: 'decode.svg',
    title: 'One query against 4,096 keys',
    description: `Gigabytes of keys and values a second, relaxed SIMD, 32 heads of 128: ${listed(rows)}. Reading them alone: ${listed(ticks)}.`,
    plot: bars({ rows, ticks, tickName: 'reading alone', unit: 'GB/s' }),
  };
}

export function speedInBrowsers({ browsers }) {
  const full = browsers.filter(({ mask }) => mask === 'full');
  const length = Math.max(...full.map((row) => row.length).filter((tokens) => tokens <= 1024));
  const there = full.filter((row) => row.length === length);
  const rows = there.map((row) => bar(row.who, row.who, row.gigaflops, row.browser));
  return {
    file: 'browsers.svg',
    title: `Speed of attention at ${length} tokens in three browsers`,
    description: `Billions of operations a second, 12 heads of 64, copies included: ${listed(rows)}.`,
    plot: bars({ rows, unit: 'GFLOP/s' }),
  };
}

/** `who` gives the colour; bars of a `group` stand together. */
const bar = (name, who, { median }, group = '') => ({
  name: nameOf(name),
  colour: colourOf(who),
  value: median,
  group,
});

const listed = (rows) =>
  rows.map(({ name, value, group }) => `${name}${group && `, ${group}`}: ${format(value)}`).join('; ');

/** `ticks` are marks across the bars of the same names, of what there is to reach; the first one is named. */
function bars({ rows, ticks = [], tickName, unit }) {
  const names = [...new Set(rows.map(({ name }) => name))];
  const groups = [...new Set(rows.map(({ group }) => group))];
  const place = { fy: 'group', y: 'name', x: 'value' };
  const beside = { ...place, textAnchor: 'start', dx: 5 };
  return {
    width: 640,
    height: 60 + groups.length * (20 + 24 * names.length),
    marginLeft: 200,
    marginRight: 100,
    x: { grid: true, label: unit, domain: [0, 1.15 * Math.max(...[...rows, ...ticks].map(({ value }) => value))] },
    y: { label: null, domain: names },
    fy: { label: null, domain: groups },
    marks: [
      Plot.barX(rows, { ...place, fill: 'colour', insetTop: 2, insetBottom: 2 }),
      Plot.text(rows, { ...beside, text: ({ value }) => format(value) }),
      Plot.tickX(ticks, { ...place, stroke: 'currentColor', strokeWidth: 2 }),
      Plot.text(ticks.slice(0, 1), { ...beside, text: () => tickName }),
    ],
  };
}
