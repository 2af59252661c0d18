import { noMask } from './engine/mask';
import type { HeadData, LensSpec, Look, ModelInfo, PassSpec, Place, Reading } from './engine/protocol';
import { innerOf } from './engine/special';
import example from './generated/example.json';

/** Floats without their lowest byte. */
function decode(base64: string): Float32Array {
  const packed = atob(base64);
  const bytes = new Uint8Array((packed.length / 3) * 4);
  for (let i = 0; i < packed.length; i++) bytes[Math.floor(i / 3) * 4 + (i % 3) + 1] = packed.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

const { tokens, heads } = example;
const size = tokens.length;
/** Of each layer [H, S, S]: scaled scores. */
const scores = example.scores.map(decode);
/** Of each layer [H, S]: ‖v‖. */
const norms = example.norms.map(decode);

export const examplePass: PassSpec = {
  model: 'int8',
  text: example.text,
  length: 4096,
  mask: noMask,
  ablated: [],
  temperature: 1,
};

/** The opening sentence as the model read it when the page was built. */
export const exampleReading: Reading = {
  pass: examplePass,
  model: example.model as ModelInfo,
  tokens,
  ids: example.ids,
  inner: innerOf(tokens),
  cut: null,
  isCausal: false,
  density: 1,
  milliseconds: null,
  layerMilliseconds: [],
  engine: null,
};

/** What the worker would answer, before there is one. Heads are not multiplied into a rollout yet. */
export function exampleLook(lens: LensSpec, place: Place): Required<Look> {
  const side = rangeOf(lens)[1] - rangeOf(lens)[0];
  const cells = new Float32Array(scores.length * heads * side * side);
  scores.forEach((_, layer) => {
    for (let head = 0; head < heads; head++) {
      cells.set(weightsOf(lens, layer, head).cells, (layer * heads + head) * side * side);
    }
  });
  return {
    reading: exampleReading,
    overview: { layers: scores.length, heads, side, cells },
    head: headOf(lens, place),
  };
}

const rangeOf = ({ hideSeparators }: LensSpec) => (hideSeparators ? exampleReading.inner : ([0, size] as const));

function weightsOf(lens: LensSpec, layer: number, head: number): { cells: Float32Array; logSumExp: Float32Array } {
  const [from, to] = rangeOf(lens);
  const cells = new Float32Array((to - from) ** 2);
  const logSumExp = new Float32Array(size);
  for (let query = 0; query < size; query++) {
    const scored = (key: number) =>
      scores[layer][(head * size + query) * size + key] + (biasOf(lens, layer, head)?.[key] ?? 0);
    let sum = 0;
    for (let key = from; key < to; key++) sum += Math.exp(scored(key));
    logSumExp[query] = Math.log(sum);
    if (query < from || query >= to) continue;
    for (let key = from; key < to; key++)
      cells[(query - from) * (to - from) + key - from] = Math.exp(scored(key)) / sum;
  }
  return { cells, logSumExp };
}

function biasOf({ weighting }: LensSpec, layer: number, head: number): Float32Array | null {
  return weighting === 'value' ? norms[layer].slice(head * size, (head + 1) * size).map(Math.log) : null;
}

/** An address may ask for a head that there is not. */
function headOf(lens: LensSpec, place: Place): HeadData {
  const layer = Math.min(place.layer, scores.length - 1);
  const head = Math.min(place.head, heads - 1);
  const range = rangeOf(lens);
  const length = range[1] - range[0];
  const { cells, logSumExp } = weightsOf(lens, layer, head);
  // Scores instead of queries: their dot product with unit keys is the score.
  const key = new Float32Array(size * size);
  for (let i = 0; i < size; i++) key[i * size + i] = 1;
  return {
    layer,
    head,
    serial: 0,
    lens,
    size,
    dims: size,
    query: scores[layer].slice(head * size * size, (head + 1) * size * size),
    key,
    value: null,
    keyBias: biasOf(lens, layer, head),
    logSumExp,
    scale: 1,
    range,
    mask: noMask,
    isCausal: false,
    root: { rows: [0, length], columns: [0, length], size: [length, length], cells },
  };
}
