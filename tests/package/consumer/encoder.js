// One layer of an encoder of MiniLM's sizes, as plain loops in double.
import { randomArray } from './oracle.js';

export const encoderShape = { length: 7, size: 384, heads: 12, inner: 1536 };

export function encoderWeights() {
  const { size, inner } = encoderShape;
  let seed = 10;
  const tensor = (...shape) => {
    const count = shape.reduce((product, n) => product * n, 1);
    // Rows of about length 1.
    const scale = shape.length === 1 ? 0.1 : Math.sqrt(3 / shape[1]);
    return { data: randomArray(count, seed++).map((value) => value * scale), shape };
  };
  const norm = () => ({
    weight: { ...tensor(size), data: tensor(size).data.map((value) => 1 + value) },
    bias: tensor(size),
  });
  return {
    attention: {
      in_proj_weight: tensor(3 * size, size),
      in_proj_bias: tensor(3 * size),
      'out_proj.weight': tensor(size, size),
      'out_proj.bias': tensor(size),
    },
    norm1: norm(),
    feedForward: {
      up: tensor(inner, size),
      upBias: tensor(inner),
      down: tensor(size, inner),
      downBias: tensor(size),
    },
    norm2: norm(),
  };
}

export function encoderLayer(x, w) {
  const { length, size, heads } = encoderShape;
  const projected = linear(x, w.attention.in_proj_weight, w.attention.in_proj_bias);
  const attended = new Float64Array(length * size);
  const D = size / heads;
  const at = (part, row, head, d) => projected[(row * 3 + part) * size + head * D + d];
  for (let h = 0; h < heads; h++) {
    for (let i = 0; i < length; i++) {
      const terms = Array.from({ length }, (_, j) => {
        let dot = 0;
        for (let d = 0; d < D; d++) dot += at(0, i, h, d) * at(1, j, h, d);
        return Math.exp(dot / Math.sqrt(D));
      });
      const sum = terms.reduce((total, term) => total + term, 0);
      for (let d = 0; d < D; d++) {
        for (let j = 0; j < length; j++) attended[i * size + h * D + d] += (terms[j] / sum) * at(2, j, h, d);
      }
    }
  }
  const joined = linear(attended, w.attention['out_proj.weight'], w.attention['out_proj.bias']);
  const normed = layerNorm(
    joined.map((value, i) => value + x[i]),
    w.norm1,
  );
  const hidden = linear(normed, w.feedForward.up, w.feedForward.upBias).map(gelu);
  const fed = linear(hidden, w.feedForward.down, w.feedForward.downBias);
  return layerNorm(
    fed.map((value, i) => value + normed[i]),
    w.norm2,
  );
}

function linear(x, { data, shape: [outputs, inputs] }, bias) {
  const rows = x.length / inputs;
  const y = new Float64Array(rows * outputs);
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias.data[o];
      for (let i = 0; i < inputs; i++) sum += x[r * inputs + i] * data[o * inputs + i];
      y[r * outputs + o] = sum;
    }
  }
  return y;
}

function layerNorm(x, { weight, bias }) {
  const { size } = encoderShape;
  return x.map((_, at) => {
    const row = x.subarray(Math.floor(at / size) * size, (Math.floor(at / size) + 1) * size);
    const mean = row.reduce((sum, value) => sum + value, 0) / size;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
    return ((x[at] - mean) / Math.sqrt(variance + 1e-5)) * weight.data[at % size] + bias.data[at % size];
  });
}

const gelu = (x) => 0.5 * x * (1 + erf(x / Math.SQRT2));

/** By its series, which converges for the few units that occur here. */
function erf(x) {
  let [sum, term] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 300; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
