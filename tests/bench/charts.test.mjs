import { expect, test } from 'vitest';
import { chartsOf } from '../../bench/charts/charts.mjs';
import { svg } from '../../bench/charts/svg.mjs';

const spread = (median) => ({ median, low: 0.9 * median, high: 1.1 * median });
const variants = ['simd', 'relaxed-simd'];
const everyone = [...variants, 'onnxruntime-web', 'jax-js', 'tfjs'];

const attention = ['full', 'causal'].flatMap((mask) =>
  [128, 1024].flatMap((length) =>
    everyone.map((who, at) => ({ mask, length, who, ms: spread(length * (at + 1)), gigaflops: spread(50 / (at + 1)) })),
  ),
);

const results = {
  date: '2026-01-01',
  attention,
  limit: variants.map((variant) => ({ length: 1024, variant, tile: spread(60) })),
  model: [14, 122].flatMap((tokens) => [...variants, 'Candle'].map((who) => ({ tokens, who, ms: spread(tokens) }))),
  decode: ['float32', 'int8'].map((dtype) => ({
    keys: 4096,
    variant: 'relaxed-simd',
    kvHeads: 8,
    dtype,
    bandwidth: spread(10),
    readBandwidth: spread(20),
  })),
  density: [1, 0.5].flatMap((density) =>
    variants.map((variant) => ({ length: 2048, variant, density, share: density })),
  ),
  browsers: attention.map((row) => ({ browser: 'chromium', ...row })),
};

const byFile = Object.fromEntries(chartsOf(results).map(({ file, ...chart }) => [file, svg(chart)]));
const count = (text, pattern) => text.match(pattern)?.length ?? 0;
// Of somebody's colour; the background is a rectangle too.
const barsOf = (text) => count(text, /<rect[^>]*var\(--(?!paper)/g);
const dotsOf = (text) => count(text, /<(path|circle)[^>]*var\(--/g);

test('every section has its charts, and none is drawn without results', () => {
  const files = ['length.svg', 'peers.svg', 'model.svg', 'decode.svg', 'density.svg', 'browsers.svg'];
  expect(Object.keys(byFile)).toEqual(files);
  expect(chartsOf({ date: '2026-01-01', model: results.model }).map(({ file }) => file)).toEqual(['model.svg']);
});

test.each(Object.entries(byFile))('%s stands alone, on light and dark pages, and says what it shows', (_, text) => {
  expect(text).toMatch(/^<svg [^>]*role="img"[^>]*>/);
  expect(text).toContain('xmlns="http://www.w3.org/2000/svg"');
  expect(text).toMatch(/<title id="title">[^<]{10,}<\/title><desc id="description">[^<]{40,}<\/desc>/);
  expect(text).toContain('prefers-color-scheme: dark');
  expect(text).not.toMatch(/NaN|undefined|Infinity/);
  // Every colour that is used has a value.
  for (const [, name] of text.matchAll(/var\((--[a-z-]+)\)/g)) expect(text).toContain(`${name}: #`);
});

test('a mark for every figure', () => {
  expect(barsOf(byFile['peers.svg'])).toBe(everyone.length);
  expect(barsOf(byFile['model.svg'])).toBe(6);
  expect(barsOf(byFile['decode.svg'])).toBe(2);
  expect(dotsOf(byFile['density.svg'])).toBe(4);
  for (const name of ['plain SIMD', 'relaxed SIMD', 'onnxruntime-web', 'jax-js', 'tfjs']) {
    expect(byFile['length.svg']).toContain(name);
  }
});
