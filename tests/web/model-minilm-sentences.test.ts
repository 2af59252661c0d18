import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import * as minilm from './minilm.ts';
import { type BertResult, bert, embed } from './oracle/bert.ts';
import { forEachVariant } from './variants.ts';

/** The pronoun sentence and its beginnings, and a text that goes on for as long as the model takes. */
const words = 'Attention is all you need, and what it looks at in a sentence can be drawn while you type. ';
const long = minilm.tokenize(words.repeat(30)).ids;
const ofLength = (length: number) => [...long.slice(0, length - 1), long.at(-1) as number];
const sentences = [
  minilm.tokenize('Hello').ids,
  minilm.tokenize(minilm.example).ids,
  minilm.tokenize(minilm.pronoun).ids,
  ...[9, 24, 47, 64, 100, 129, 512].map(ofLength),
];

// In double, 512 tokens take seconds: once for all variants.
const known = new Map<number, BertResult>();
function exactly(at: number): BertResult {
  const exact = known.get(at) ?? bert(minilm.config, minilm.tensors(), sentences[at] as number[]);
  known.set(at, exact);
  return exact;
}

forEachVariant('MiniLM on ten texts', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config: minilm.config, tensors: minilm.bytes });
  });
  afterAll(() => model.dispose());

  test('of 3 to 512 tokens', () => {
    const lengths = sentences.map(({ length }) => length);
    expect([lengths.length, Math.min(...lengths), Math.max(...lengths)]).toEqual([10, 3, 512]);
  });
  test.each(sentences.map((ids, at) => [ids.length, at] as const))(
    '%i tokens: all 72 maps and the embedding equal the oracle',
    async (S, at) => {
      const ids = sentences[at] as number[];
      const exact = exactly(at);
      const { attentions } = await model.forward(ids, { attention: true });
      expect(attentions.length).toBe(6);
      attentions.forEach((map, layer) => {
        expectClose(map, { data: exact.attentions[layer]?.data as Float64Array, shape: [1, 12, S, S] }, 1e-4);
      });
      const whole = ids.map(() => 1);
      const data = embed(exact.hiddenStates[6] as BertResult['hiddenStates'][number], whole);
      expectClose(await model.embed(ids), { data, shape: [1, 384] }, 1e-4);
    },
    300_000,
  );
  test('padding a batch changes nothing', async () => {
    const some = sentences.slice(0, -1);
    const S = Math.max(...some.map(({ length }) => length));
    const batch = await model.forward(some, { attention: true });
    const embedded = await model.embed(some);
    for (const [b, ids] of some.entries()) {
      const { attentions } = await model.forward(ids, { attention: true });
      const n = ids.length;
      attentions.forEach((map, layer) => {
        const all = batch.attentions[layer]?.data as Float32Array;
        for (let row = 0; row < 12 * n; row++) {
          const from = ((b * 12 + Math.floor(row / n)) * S + (row % n)) * S;
          const want = map.data.subarray(row * n, (row + 1) * n);
          expectClose({ data: all.subarray(from, from + n), shape: [n] }, { data: want, shape: [n] }, 1e-6);
        }
      });
      const own = embedded.data.subarray(b * 384, (b + 1) * 384);
      expectClose({ data: own, shape: [1, 384] }, await model.embed(ids), 1e-6);
    }
  });
  test('weights as int8: a third of the memory, maps and embeddings near', async () => {
    const int8 = createModel(engine(), { config: minilm.config, tensors: minilm.bytes }, { weights: 'int8' });
    // float32 but for the words, which the file has in half floats: 67 MB, and 23.2 with int8.
    expect(int8.byteLength / model.byteLength).toBeLessThan(0.35);
    let [most, least] = [0, 1];
    for (const ids of sentences.slice(0, -1)) {
      const [exact, got] = await Promise.all([model, int8].map((one) => one.forward(ids, { attention: true })));
      exact?.attentions.forEach((map, layer) => {
        const other = got?.attentions[layer]?.data as Float32Array;
        most = map.data.reduce((sofar, value, at) => Math.max(sofar, Math.abs(value - (other[at] as number))), most);
      });
      const [a, b] = await Promise.all([model, int8].map((one) => one.embed(ids)));
      const cosine = a?.data.reduce((sum, value, at) => sum + value * (b?.data[at] as number), 0) as number;
      least = Math.min(least, cosine);
    }
    int8.dispose();
    console.log(
      `int8: a cell is off by up to ${most.toFixed(4)}, embeddings have a cosine of ${least.toFixed(5)} or more`,
    );
    expect(most).toBeLessThanOrEqual(0.08);
    expect(least).toBeGreaterThanOrEqual(0.996);
  });
});
