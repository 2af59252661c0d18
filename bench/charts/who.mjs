// How whoever was measured is called and drawn, the same in every chart.

// Colours told apart by eyes that see few, against both backgrounds.
const everyone = {
  'relaxed-simd': { name: 'attention-wasm, relaxed SIMD', symbol: 'circle', light: '#0060b9', dark: '#5fb2ff' },
  simd: { name: 'attention-wasm, plain SIMD', symbol: 'square', light: '#00795c', dark: '#3fcfa5' },
  'onnxruntime-web': { symbol: 'triangle', light: '#b84a00', dark: '#ff9a57' },
  'jax-js': { symbol: 'diamond', light: '#8a3f86', dark: '#e0a0dc' },
  tfjs: { symbol: 'star', light: '#5d5d5d', dark: '#b0b0b0' },
  Candle: { symbol: 'wye', light: '#7a6100', dark: '#e3c34a' },
};

export const nameOf = (who) => everyone[who]?.name ?? who;
export const symbolOf = (who) => everyone[who].symbol;

/** The colour is a variable of the chart's style: another one on a dark page. */
export const colourOf = (who) => `var(${variable(who)})`;
export const colours = (theme) =>
  Object.entries(everyone)
    .map(([who, one]) => `${variable(who)}: ${one[theme]};`)
    .join(' ');

const variable = (who) => `--${who.toLowerCase()}`;
