import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { since } from './model-compare.ts';
import { bert } from './oracle/bert.ts';
import { gpt2 } from './oracle/gpt2.ts';
import { linear } from './oracle/layers.ts';
import { llama } from './oracle/llama.ts';
import { encode, marian, positionsOfMarian } from './oracle/marian.ts';
import { type DecoderTrace, type Hooks, positionsOf, rowsOf, type Trace, transposed } from './oracle/model.ts';
import type { Exact, Numbers } from './oracle/values.ts';
import { vit } from './oracle/vit.ts';
import * as ofBert from './synthetic-bert.ts';
import * as ofGpt2 from './synthetic-gpt2.ts';
import * as ofLlama from './synthetic-llama.ts';
import * as ofMarian from './synthetic-marian.ts';
import * as ofVit from './synthetic-vit.ts';

const ids = [3, 0, 28, 7, 7, 14, 1, 22, 9];
const target = [28, 5, 5, 17, 2, 11];
/** Doubles, after some hundred operations on numbers near 1 to 100. */
const exactly = 1e-11;

function expectSame(got: Trace, want: Trace): void {
  const same = (one: Exact | undefined, other: Exact | undefined) => expectClose(one as Exact, other as Exact, exactly);
  got.hiddenStates.forEach((state, n) => {
    same(state, want.hiddenStates[n]);
  });
  got.attentions.forEach((map, n) => {
    same(map, want.attentions[n]);
  });
  same(got.lastHiddenState, want.lastHiddenState);
  if (got.logits) same(got.logits, want.logits);
}

type Decoder = (ids: readonly number[], hooks?: Hooks, past?: DecoderTrace['past']) => DecoderTrace;
const gpt2Weights = ofGpt2.weights();
const llamaWeights = ofLlama.weights();
const ropes = {
  linear: { type: 'linear', factor: 2.5 },
  llama3: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 16,
  },
  yarn: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16 },
};
const decoders: [string, Decoder][] = [
  ['GPT-2', (...args) => gpt2(ofGpt2.config, gpt2Weights, ...args)],
  ['Llama', (...args) => llama(ofLlama.config, llamaWeights, ...args)],
  ...Object.entries(ropes).map(([name, rope_scaling]): [string, Decoder] => [
    `Llama with ${name}`,
    (...args) => llama({ ...ofLlama.config, rope_scaling }, llamaWeights, ...args),
  ]),
];

/** A weight whose rows or columns are zero where `gone` says so. */
function without(x: Numbers, gone: (row: number, column: number) => boolean): Exact {
  const columns = x.shape[1] as number;
  const data = Float64Array.from(x.data as ArrayLike<number>, (value, n) =>
    gone(Math.floor(n / columns), n % columns) ? 0 : value,
  );
  return { data, shape: x.shape };
}
const times = (x: Numbers, factor: (row: number, column: number) => number): Exact => {
  const columns = x.shape.at(-1) as number;
  const data = Float64Array.from(
    x.data as ArrayLike<number>,
    (value, n) => value * factor(Math.floor(n / columns), n % columns),
  );
  return { data, shape: x.shape };
};

describe('the oracles of models', () => {
  const traces: [string, Trace][] = [
    ['BERT', bert(ofBert.config, ofBert.weights(), ids)],
    ...decoders.map(([name, run]): [string, Trace] => [name, run(ids)]),
    ['ViT', vit(ofVit.config, ofVit.weights(), { ...ofVit.picture(1), shape: [3, 12, 12] })],
    ['Marian', marian(ofMarian.config, ofMarian.weights(), ids, target)],
    ['the encoder of Marian', encode(ofMarian.config, ofMarian.weights(), ids)],
  ];
  test.each(traces)('rows of probabilities are exp(scale·q·k − logSumExp) and sum to 1: %s', (_, trace) => {
    trace.projections.forEach(({ query, key, logSumExp, scale }, layer) => {
      const { data, shape } = trace.attentions[layer] as Exact;
      const [, H = 0, Sq = 0, Skv = 0] = shape;
      const group = H / (key.shape[1] as number);
      const D = query.shape[3] as number;
      for (let line = 0; line < H * Sq; line++) {
        const keyHead = Math.floor(line / Sq / group);
        const row = data.subarray(line * Skv, (line + 1) * Skv);
        expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
        row.forEach((p, j) => {
          if (p === 0) return;
          let dot = 0;
          for (let d = 0; d < D; d++)
            dot += (query.data[line * D + d] as number) * (key.data[(keyHead * Skv + j) * D + d] as number);
          expect(Math.exp(scale * dot - (logSumExp.data[line] as number))).toBeCloseTo(p, 12);
        });
      }
    });
  });

  describe.each(decoders)('%s', (_, run) => {
    const whole = run(ids);
    test('in blocks after a past equals all at once', () => {
      for (const size of [1, 4]) {
        let [past, seen]: [DecoderTrace['past'] | undefined, number] = [undefined, 0];
        while (seen < ids.length) {
          const block = ids.slice(seen, seen + size);
          const got = run(block, {}, past);
          const want = since(seen, run(ids.slice(0, seen + block.length)));
          expectSame(got, want);
          expectClose(got.logits, rowsOf(whole.logits, seen, seen + block.length), exactly);
          [past, seen] = [got.past, seen + block.length];
        }
      }
    });
    test('padding on the left changes nothing of what follows', () => {
      const got = run([5, 5, ...ids], { attends: [0, 0, ...ids.map(() => 1)] });
      expectClose(rowsOf(got.logits, 2, 2 + ids.length), whole.logits, exactly);
    });
    test('a window as a rule equals the same as a dense mask', () => {
      const rule: Hooks = { mask: () => ({ rule: ({ p, j }) => j < 2 || j > p - 3 }) };
      const S = ids.length;
      const data = Uint8Array.from({ length: S * S }, (_, n) => (n % S < 2 || n % S > Math.floor(n / S) - 3 ? 1 : 0));
      const dense: Hooks = { mask: () => ({ mask: { data, shape: [S, S], dtype: 'bool' } }) };
      expectSame(run(ids, rule), run(ids, dense));
      expect(run(ids, rule).attentions[0]?.data).not.toEqual(whole.attentions[0]?.data);
    });
  });

  test('a head ablated in GPT-2 equals its rows of c_proj made zero', () => {
    const name = 'h.1.attn.c_proj.weight';
    const changed = { ...gpt2Weights, [name]: without(gpt2Weights[name] as Numbers, (row) => row >= 7 && row < 14) };
    expectSame(gpt2(ofGpt2.config, gpt2Weights, ids, { ablate: [[1, 1]] }), gpt2(ofGpt2.config, changed, ids));
  });
  test('a temperature equals queries divided by it', () => {
    const changed: Record<string, Numbers> = { ...gpt2Weights };
    for (let layer = 0; layer < 3; layer++)
      for (const part of ['weight', 'bias']) {
        const name = `h.${layer}.attn.c_attn.${part}`;
        changed[name] = times(changed[name] as Numbers, (_, column) => (column < 21 ? 1 / 1.7 : 1));
      }
    expectSame(gpt2(ofGpt2.config, gpt2Weights, ids, { temperature: 1.7 }), gpt2(ofGpt2.config, changed, ids));
  });
  test('Conv1D is x·W + b', () => {
    const w = { data: [1, 2, 3, 4, 5, 6], shape: [2, 3] };
    expect(Array.from(linear({ data: [1, 10], shape: [1, 2] }, transposed(w)).data)).toEqual([41, 52, 63]);
  });
  test('key heads shared by three queries equal a key head for each', () => {
    const repeated: Record<string, Numbers> = { ...llamaWeights };
    for (let layer = 0; layer < 3; layer++)
      for (const part of ['k_proj', 'v_proj']) {
        const name = `layers.${layer}.self_attn.${part}.weight`;
        const rows = (head: number) => llamaWeights[name]?.data.subarray(head * 6 * 54, (head + 1) * 6 * 54) ?? [];
        const data = Float64Array.from(Array.from({ length: 9 }, (_, h) => [...rows(Math.floor(h / 3))]).flat());
        repeated[name] = { data, shape: [54, 54] };
      }
    const config = { ...ofLlama.config, num_key_value_heads: 9 };
    expectSame(llama(config, repeated, ids), llama(ofLlama.config, llamaWeights, ids));
  });
  test('linear rope scaling by 2 of places twice as far equals none', () => {
    const spread = { attends: ids.flatMap((_, s) => (s === 0 ? [1] : [1, 1])) };
    const apart = ids.flatMap((id, s) => (s === 0 ? [id] : [id, id]));
    const S = apart.length;
    // Every other token is placed and then hidden from all.
    const rule: Hooks['mask'] = () => ({ rule: ({ j }) => j % 2 === 0 });
    const config = { ...ofLlama.config, rope_scaling: { rope_type: 'linear', factor: 2 } };
    const got = llama(config, llamaWeights, apart, { ...spread, mask: rule });
    const want = llama(ofLlama.config, llamaWeights, ids);
    expectClose(rowsOf(got.logits, S - 1, S), rowsOf(want.logits, ids.length - 1, ids.length), exactly);
  });
  test('positions count over the attended tokens', () =>
    expect(positionsOf([0, 0, 1, 1, 0, 1])).toEqual([0, 0, 0, 1, 1, 2]));

  test('patches and their positions exchanged leave the class token as it is', () => {
    const image = ofVit.picture(2);
    const all = ofVit.weights({ pooler: true });
    // The picture turned upside down by rows of patches: the rows of 3 pixels keep their own order.
    const data = image.data.map((_, n) => {
      const [row, rest] = [Math.floor(n / 12) % 12, n % 12];
      const from = (3 - Math.floor(row / 3)) * 3 + (row % 3);
      return image.data[Math.floor(n / 144) * 144 + from * 12 + rest] as number;
    });
    const places = all['embeddings.position_embeddings']?.data as Float32Array;
    const moved = places.map((_, n) => {
      const [token, e] = [Math.floor(n / 21), n % 21];
      if (token === 0) return places[e] as number;
      const [row, column] = [Math.floor((token - 1) / 4), (token - 1) % 4];
      return places[(1 + (3 - row) * 4 + column) * 21 + e] as number;
    });
    const turned = { ...all, 'embeddings.position_embeddings': { data: moved, shape: [1, 17, 21] } };
    const got = vit(ofVit.config, turned, { data, shape: [3, 12, 12] });
    const want = vit(ofVit.config, all, { data: image.data, shape: [3, 12, 12] });
    expectClose(got.logits as Exact, want.logits as Exact, exactly);
    expectClose(got.pooled as Exact, want.pooled as Exact, exactly);
    expect(got.lastHiddenState.data.slice(21)).not.toEqual(want.lastHiddenState.data.slice(21));
  });
  test('a patch is the sum over its own pixels and no others', () => {
    const all: Record<string, Numbers> = ofVit.weights();
    const image = ofVit.picture(3).data;
    const changed = image.slice();
    const where = 144 + 7 * 12 + 4; // channel 1, row 7, column 4: patch row 2, patch column 1, so token 1 + 2·4 + 1
    changed[where] = (changed[where] as number) + 1;
    const [before, after] = [image, changed].map(
      (data) => vit(ofVit.config, all, { data, shape: [3, 12, 12] }).hiddenStates[0] as Exact,
    ) as [Exact, Exact];
    const kernel = all['embeddings.patch_embeddings.projection.weight'] as Numbers;
    for (let n = 0; n < 17 * 21; n++) {
      const e = n % 21;
      // Within the patch: row 1, column 1.
      const step = Math.floor(n / 21) === 10 ? (kernel.data[((e * 3 + 1) * 3 + 1) * 3 + 1] as number) : 0;
      expect((after.data[n] as number) - (before.data[n] as number)).toBeCloseTo(step, 6); // changed in float32
    }
  });

  test('Marian’s sines and cosines of one pair lie on a circle and begin with 0 and 1', () => {
    const { data } = positionsOfMarian(9, 22);
    for (let p = 0; p < 9; p++)
      for (let i = 0; i < 11; i++) {
        const [sine, cosine] = [data[p * 22 + i], data[p * 22 + 11 + i]] as [number, number];
        expect(sine ** 2 + cosine ** 2).toBeCloseTo(1, 14);
        expect(Math.atan2(sine, cosine)).toBeCloseTo(Math.atan2(...turn(p * 10000 ** (-i / 11))), 12);
      }
    expect(Array.from(positionsOfMarian(1, 5).data)).toEqual([0, 0, 0, 1, 1]);
  });
  const turn = (angle: number): [number, number] => [Math.sin(angle), Math.cos(angle)];
  test('a longer target leaves the rows of a shorter one as they are', () => {
    const all = ofMarian.weights();
    const whole = marian(ofMarian.config, all, ids, target);
    for (let n = 1; n < target.length; n++) {
      const part = marian(ofMarian.config, all, ids, target.slice(0, n));
      expectClose(part.logits, rowsOf(whole.logits, 0, n), exactly);
    }
  });
  test('what a source does not attend to reaches neither side', () => {
    const all = ofMarian.weights();
    const attends = [...ids.map(() => 1), 0, 0];
    const padded = marian(ofMarian.config, all, [...ids, 28, 3], target, {}, { attends });
    const whole = marian(ofMarian.config, all, ids, target);
    expectClose(padded.logits, whole.logits, exactly);
    expectClose(rowsOf(padded.encoder.lastHiddenState, 0, ids.length), whole.encoder.lastHiddenState, exactly);
  });
});
