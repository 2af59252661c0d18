import type { Attention } from 'attention-wasm';
import type { Layer } from './layers';

const dims = 32;
/** Only their lengths are looked at. */
const valueDims = 8;
/** A text of this many different words, over and over. */
const words = 97;

/**
 * A layer of four heads over a sequence of any length. All take the same random walk of words; they differ in how much
 * they care for place and how much for the word:
 * 0 looks near itself, 1 for the same word, 2 for the same word nearby, 3 at the first token unless a word recurs.
 */
export function longSequence(attention: Attention, size: number, heads: number): { layer: Layer; tokens: string[] } {
  const random = mulberry32(7);
  const vocabulary = Array.from({ length: words }, () => unit(random));
  const word = Array.from({ length: size }, () => Math.floor(random() * words));
  const constant = new Float32Array(size * dims).fill(1 / Math.sqrt(dims));
  const place = attention.rotaryEmbedding({ data: constant, shape: [1, 1, size, dims] }, { base: 1000 }).data;

  const query = new Float32Array(heads * size * dims);
  const key = new Float32Array(heads * size * dims);
  const value = new Float32Array(heads * size * valueDims);
  const mix = [
    { near: 24, same: 0 },
    { near: 0, same: 9 },
    { near: 14, same: 7 },
    { near: 0, same: 7 },
  ];
  for (let head = 0; head < heads; head++) {
    const { near, same } = mix[head % mix.length];
    for (let i = 0; i < size; i++) {
      const at = (head * size + i) * dims;
      for (let d = 0; d < dims; d++) {
        const meaning = vocabulary[word[i]][d];
        // Half of the dimensions would do for each; a sum keeps both in all of them.
        query[at + d] = near * place[i * dims + d] + same * meaning;
        key[at + d] = place[i * dims + d] * Number(near > 0) + meaning + (head === 3 && i === 0 ? 0.5 : 0);
        if (d < valueDims) value[(head * size + i) * valueDims + d] = meaning;
      }
    }
  }
  const layer = { heads, kvHeads: heads, size, dims, scale: 1, query, key, value, logSumExp: new Float32Array(0) };
  return { layer, tokens: word.map((index) => `w${index}`) };
}

function unit(random: () => number): Float32Array {
  const vector = Float32Array.from({ length: dims }, () => random() + random() + random() - 1.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Tommy Ettinger's generator: the same sequence for everyone. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
