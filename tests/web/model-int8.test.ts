import type { Attention } from 'attention-wasm';
import { createModel, type ForwardResult } from 'attention-wasm/models';
import { describe, expect, test } from 'vitest';
import { expectClose, largest } from './compare.ts';
import { lastOf } from './decoding.ts';
import { expectTrace, near } from './model-compare.ts';
import { bert } from './oracle/bert.ts';
import { gpt2 } from './oracle/gpt2.ts';
import { llama } from './oracle/llama.ts';
import { marian } from './oracle/marian.ts';
import { argmax, type Trace } from './oracle/model.ts';
import { fromHalf } from './oracle/values.ts';
import { vit } from './oracle/vit.ts';
import type { Plain } from './random.ts';
import { refusedModel } from './refusals.ts';
import { roundColumns, rounded, roundRows } from './rounded.ts';
import * as stories from './stories.ts';
import * as ofBert from './synthetic-bert.ts';
import * as ofGpt2 from './synthetic-gpt2.ts';
import * as ofLlama from './synthetic-llama.ts';
import * as ofMarian from './synthetic-marian.ts';
import * as ofVit from './synthetic-vit.ts';
import { forEachVariant } from './variants.ts';

const ids = [3, 0, 28, 7, 7, 14, 1];
const everything = { attention: true, hiddenStates: true, projections: true } as const;

/** Positions, token types, norms and biases stay as they are. */
const isMatrix = (name: string) =>
  name.endsWith('.weight') && !/(norm|LayerNorm|ln_\w+|layernorm\w*)\.weight$|position|token_type|wpe/i.test(name);
const byRows = (name: string) => (isMatrix(name) ? 'rows' : false);
const byColumns = (name: string) => (/c_(attn|proj|fc)\.weight$/.test(name) ? 'columns' : byRows(name));

interface Family {
  name: string;
  config: Record<string, unknown> & { model_type: string };
  all: Record<string, Plain>;
  which: typeof byColumns;
  input: unknown;
  options?: object;
  exact(all: Record<string, Plain>): Trace;
}
const image = ofVit.picture(1);
const target = [ofMarian.start, 5, 5, 17, 2];
const families: Family[] = [
  {
    name: 'BERT',
    config: ofBert.config,
    all: ofBert.weights(),
    which: byRows,
    input: ids,
    exact: (all) => bert(ofBert.config, all, ids),
  },
  {
    name: 'GPT-2',
    config: ofGpt2.config,
    all: ofGpt2.weights(),
    which: byColumns,
    input: ids,
    exact: (all) => gpt2(ofGpt2.config, all, ids),
  },
  {
    name: 'GPT-2 with a head of its own',
    config: { ...ofGpt2.config, tie_word_embeddings: false },
    all: ofGpt2.weights({ head: true }),
    which: byColumns,
    input: ids,
    exact: (all) => gpt2(ofGpt2.config, all, ids),
  },
  {
    name: 'Llama',
    config: ofLlama.config,
    all: ofLlama.weights(),
    which: byRows,
    input: ids,
    exact: (all) => llama(ofLlama.config, all, ids),
  },
  {
    name: 'Llama with a tied head',
    config: { ...ofLlama.config, tie_word_embeddings: true },
    all: ofLlama.weights({ tie_word_embeddings: true }),
    which: byRows,
    input: ids,
    exact: (all) => llama(ofLlama.config, all, ids),
  },
  {
    name: 'ViT',
    config: ofVit.config,
    all: ofVit.weights({ pooler: true }),
    which: byRows,
    input: image,
    exact: (all) => vit(ofVit.config, all, { data: image.data, shape: [3, 12, 12] }),
  },
  {
    name: 'Marian',
    config: ofMarian.config,
    all: ofMarian.weights(),
    which: byRows,
    input: ids,
    options: { decoderIds: target },
    exact: (all) => marian(ofMarian.config, all, ids, target),
  },
];

test('a row is rounded to 127 steps either side of zero, and stays within half a step', () => {
  const { data } = roundRows({ data: Float32Array.of(127, -3.4, 0.5001, 0, 0, 0, -1, -0.5, 1), shape: [3, 3] });
  expect([...(data as Float32Array)]).toEqual([127, -3, 1, 0, 0, 0, -1, expect.closeTo(-64 / 127), 1]);
  const columns = roundColumns({ data: Float32Array.of(127, 0, -3.4, 1), shape: [2, 2] });
  expect([...(columns.data as Float32Array)]).toEqual([127, 0, -3, 1]);
});

forEachVariant('weights as int8', (engine: () => Attention) => {
  describe.each(families)('$name', ({ config, all, which, input, options, exact }) => {
    async function run(weights: 'int8' | 'float32', tensors: object = all) {
      const model = createModel(engine(), { config, tensors: tensors as never }, { weights });
      const got = await model.forward(input as never, { ...everything, ...options });
      const { byteLength } = model;
      model.dispose();
      return { got: got as ForwardResult<true>, byteLength };
    }

    test('equals the oracle over the weights it rounds', async () => {
      const { got } = await run('int8');
      const want = exact(rounded(all, which));
      expectTrace(got, want);
      if (want.logits && got.logits) {
        const data = lastOf(want.logits);
        expectClose({ data: got.logits.data, shape: [data.length] }, { data, shape: [data.length] }, near(want.logits));
      }
    });
    test('is near float32 and is not it', async () => {
      const { got } = await run('int8');
      const want = exact(all);
      // A weight is off by at most 1/254 of its row's largest, so each matrix by some 0.7 % of what it makes; ten or so of them in a
      // row, and softmaxes between them, were measured to move a state by up to 6.7 % of its largest number (GPT-2).
      want.hiddenStates.forEach((state, n) => {
        const { data, shape } = state;
        const limit = 0.15 * largest(data);
        expectClose(got.hiddenStates?.[n] as never, { data, shape: [1, ...shape] }, limit);
      });
      const { data, shape } = want.lastHiddenState;
      const same = () => expectClose(got.lastHiddenState, { data, shape: [1, ...shape] }, near(want.lastHiddenState));
      expect(same).toThrow('off by');
    });
    test('takes its numbers from any type of file', async () => {
      const halved = ofBert.inHalves(all);
      const { got } = await run('int8', ofBert.inFile(halved));
      const widened = Object.fromEntries(
        Object.entries(halved).map(([name, { data, shape }]) => [
          name,
          { data: Float32Array.from(data as Uint16Array, fromHalf), shape },
        ]),
      );
      expectTrace(got, exact(rounded(widened, which)));
    });
    test('refuses other kinds', () => {
      const error = refusedModel(engine(), { config, tensors: all }, { weights: 'int4' });
      expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.weights']);
    });
  });

  describe.runIf(stories.isPresent)('a Llama that tells stories', () => {
    const config = stories.isPresent ? stories.readConfig() : { model_type: 'llama' };
    test('takes about a quarter of the memory', () => {
      const tensors = stories.readBytes();
      const [small, full] = [
        createModel(engine(), { config, tensors }, { weights: 'int8' }),
        createModel(engine(), { config, tensors }),
      ];
      // A byte a weight and 4 bytes a row of 64 or 172, some padding, and norms.
      expect(small.byteLength / full.byteLength).toBeLessThan(0.3);
      expect(small.byteLength / full.byteLength).toBeGreaterThan(0.24);
      for (const model of [small, full]) model.dispose();
    });
    test('tells the story of its own rounded weights', async () => {
      const { promptIds } = stories.readExpected();
      const meant = rounded(stories.readTensors() as Record<string, Plain>, byRows);
      const model = createModel(engine(), { config, tensors: stories.readBytes() }, { weights: 'int8' });
      const text = [...promptIds];
      for (let n = 0; n < 12; n++) {
        const { id, lead } = argmax(lastOf(llama(stories.readConfig(), meant, text).logits));
        expect(lead).toBeGreaterThan(1e-3);
        text.push(id);
      }
      const got = await model.generate(promptIds, { maxNewTokens: 12, stop: [] });
      expect([...got]).toEqual(text.slice(promptIds.length));
      model.dispose();
    });
  });
});
