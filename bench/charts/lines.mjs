// Charts of one number against another.
import * as Plot from '@observablehq/plot';
import { format } from '../statistics.mjs';
import { colourOf, nameOf, symbolOf } from './who.mjs';

export function lengthTime({ attention }) {
  const rows = attention.map((row) => ({ ...row, time: row.ms.median }));
  const lengths = [...new Set(rows.map(({ length }) => length))];
  const everyone = [...new Set(rows.map(({ who }) => who))];
  const place = { fx: 'mask', x: 'length', y: 'time' };
  return {
    file: 'length.svg',
    title: 'Time of attention against length',
    description: `Milliseconds of one call, 12 heads of 64, both axes logarithmic, full and causal. ${timesAtOneLength(rows)}`,
    plot: {
      width: 860,
      height: 420,
      fx: { domain: ['full', 'causal'], label: null },
      x: { type: 'log', base: 2, label: 'tokens', ticks: lengths, tickFormat: String },
      y: { type: 'log', grid: true, label: 'ms' },
      symbol: { type: 'identity' },
      marks: [
        Plot.line(rows, { ...place, z: 'who', stroke: ({ who }) => colourOf(who), strokeWidth: 2 }),
        Plot.dot(rows, { ...place, symbol: ({ who }) => symbolOf(who), fill: ({ who }) => colourOf(who), r: 4 }),
        legend(everyone, { fx: ['full'] }),
      ],
    },
  };
}

/** At the greatest length that onnxruntime-web was measured at. */
function timesAtOneLength(rows) {
  const length = Math.max(...rows.filter(({ who }) => who === 'onnxruntime-web').map((row) => row.length));
  const there = rows.filter((row) => row.mask === 'full' && row.length === length);
  return `At ${length} tokens, full: ${there.map(({ who, time }) => `${nameOf(who)} ${format(time)} ms`).join(', ')}.`;
}

export function densityTime({ density }) {
  const [{ length }] = density;
  const points = density.map((row) => `${nameOf(row.variant)}, density ${format(row.density)}: ${format(row.share)}`);
  return {
    file: 'density.svg',
    title: 'Time of block-sparse attention against density',
    description: `${length} tokens, 1 head of 64: the share of the full call's time that masks of less density take; the dashed line is time in proportion. ${points.join('; ')}.`,
    plot: {
      width: 480,
      height: 360,
      marginRight: 30,
      x: { grid: true, label: 'density', domain: [0, 1] },
      y: { grid: true, label: 'time of the full one', domain: [0, 1.05] },
      symbol: { type: 'identity' },
      marks: [
        Plot.line([0, 1], { x: Number, y: Number, strokeDasharray: '4 4' }),
        Plot.dot(density, {
          x: 'density',
          y: 'share',
          symbol: ({ variant }) => symbolOf(variant),
          fill: ({ variant }) => colourOf(variant),
          r: 5,
        }),
        legend(['relaxed-simd', 'simd']),
      ],
    },
  };
}

/** Who has which colour and symbol, one below the other in the lower right corner. */
function legend(everyone, facet = {}) {
  return everyone.map((who, at) => {
    const dy = -10 - 18 * (everyone.length - 1 - at);
    const corner = { ...facet, frameAnchor: 'bottom-right', dy, fill: colourOf(who) };
    return [
      Plot.dot([who], { ...corner, dx: -12, symbol: symbolOf(who), r: 4 }),
      Plot.text([who], { ...corner, dx: -22, textAnchor: 'end', text: [nameOf(who)] }),
    ];
  });
}
