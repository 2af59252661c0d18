import type { Attention } from 'attention-wasm';
import { createModel, type ForwardResult, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { type BertResult, bert, embed } from './oracle/bert.ts';
import type { Exact } from './oracle/values.ts';
import { config, inFile, inHalves, prefixed, weights } from './synthetic-bert.ts';
import { forEachVariant } from './variants.ts';

const [E, H, L] = [21, 3, 3];
const all = weights();
const halved = inHalves(all);
const ids = [3, 0, 28, 7, 7, 14, 1];

/** Three layers of float32 on numbers near 1: some tens of roundings. */
const tolerance = 2e-5;

function expectSame(got: ForwardResult<boolean>, exact: BertResult, S = ids.length): void {
  const last = exact.hiddenStates[L] as Exact;
  expectClose(got.lastHiddenState, { data: last.data, shape: [1, S, E] }, tolerance);
  exact.hiddenStates.forEach((state, n) => {
    if (got.hiddenStates) expectClose(got.hiddenStates[n] as never, { data: state.data, shape: [1, S, E] }, tolerance);
  });
  exact.attentions.forEach((map, n) => {
    if (got.attentions) expectClose(got.attentions[n] as never, { data: map.data, shape: [1, H, S, S] }, tolerance);
  });
  if (got.pooled && exact.pooled) expectClose(got.pooled, { data: exact.pooled.data, shape: [1, E] }, tolerance);
  expect(got.pooled === undefined).toBe(exact.pooled === undefined);
}

forEachVariant('a small BERT', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config, tensors: all });
  });
  afterAll(() => model.dispose());
  const everything = { attention: true, hiddenStates: true } as const;

  describe('equals the oracle, its weights given', () => {
    test.each([
      ['as float32 tensors', all, all],
      [
        "with 'bert.' before their names, beside another head's",
        { ...prefixed(all, 'bert.'), 'cls.predictions.bias': { data: new Float32Array(29), shape: [29] } },
        all,
      ],
      ['as half tensors', halved, halved],
      ['as the bytes of a file', inFile(all), all],
      ["as an ArrayBuffer with halves and 'bert.'", inFile(prefixed(halved, 'bert.')).buffer, halved],
      ['without a pooler', weights({ pooler: false }), weights({ pooler: false })],
      [
        'beside position_ids',
        {
          ...all,
          'embeddings.position_ids': { data: BigInt64Array.from({ length: 19 }, (_, i) => BigInt(i)), shape: [1, 19] },
        },
        all,
      ],
    ])('%s', async (_, tensors, truth) => {
      const own = createModel(engine(), { config, tensors: tensors as never });
      expect([own.type, own.layers, own.heads, own.kvHeads, own.embedSize, own.maxLength]).toEqual([
        'bert',
        L,
        H,
        H,
        E,
        19,
      ]);
      expectSame(await own.forward(ids, everything), bert(config, truth as never, ids));
      own.dispose();
    });
    test('with another epsilon', async () => {
      const own = createModel(engine(), { config: { ...config, layer_norm_eps: 0.1 }, tensors: all });
      expectSame(await own.forward(ids), bert({ ...config, layer_norm_eps: 0.1 }, all, ids));
      own.dispose();
    });
    test.each([1, 2, 3, 4, 5, 8, 9, 16, 17, 19])('for %i tokens', async (S) => {
      const input = Array.from({ length: S }, (_, s) => (s * 11) % 29);
      expectSame(await model.forward(input, everything), bert(config, all, input), S);
    });
  });

  describe('inputs', () => {
    const exact = bert(config, all, ids);
    test.each([
      ['numbers', ids],
      ['Int32Array', Int32Array.from(ids)],
      ['BigInt64Array', BigInt64Array.from(ids.map(BigInt))],
      ['one of a batch', [ids]],
      ['a tensor [S]', { data: BigInt64Array.from(ids.map(BigInt)), shape: [7] }],
      ['a tensor [1,S]', { data: Int32Array.from(ids), dims: [1, 7] }],
    ])('%s', async (_, input) => expectSame(await model.forward(input as never), exact));

    const types = [0, 0, 0, 1, 1, 0, 1];
    const attends = [1, 1, 0, 1, 1, 0, 1];
    test.each([
      ['tokenTypeIds', { tokenTypeIds: types }, { types }],
      ['attentionMask', { attentionMask: attends }, { attends }],
      [
        'both, as tensors',
        {
          tokenTypeIds: { data: BigInt64Array.from(types.map(BigInt)), shape: [1, 7] },
          attentionMask: { data: Uint8Array.from(attends), shape: [1, 7], dtype: 'bool' },
        },
        { types, attends },
      ],
      ['padding on the left', { attentionMask: [0, 0, 0, 1, 1, 1, 1] }, { attends: [0, 0, 0, 1, 1, 1, 1] }],
    ])('%s', async (_, options, truth) => {
      const wanted = bert(config, all, ids, truth);
      expectSame(await model.forward(ids, { ...everything, ...(options as object) }), wanted);
      const embedded = await model.embed(ids, options as never);
      const attended = (truth as { attends?: number[] }).attends ?? ids.map(() => 1);
      expectClose(embedded, { data: embed(wanted.hiddenStates[L] as Exact, attended), shape: [1, E] }, tolerance);
    });
    test('tensors [B,S] for ids, types and mask', async () => {
      const rows = [ids, ids.map((id) => 28 - id)];
      const of = (values: number[][]) => ({ data: Int32Array.from(values.flat()), shape: [2, 7] });
      const kinds = rows.map((row) => row.map((id) => id % 2));
      const masks = [attends, [1, 1, 1, 1, 0, 0, 0]];
      const got = await model.forward(of(rows), { tokenTypeIds: of(kinds), attentionMask: of(masks) });
      rows.forEach((row, b) => {
        const wanted = bert(config, all, row, { types: kinds[b] as number[], attends: masks[b] as number[] });
        const state = got.lastHiddenState.data.subarray(b * 7 * E, (b + 1) * 7 * E);
        expectClose({ data: state, shape: [7, E] }, wanted.hiddenStates[L] as Exact, tolerance);
      });
    });
    test('a ragged batch with its own types and masks', async () => {
      const batch = [ids, [5, 6], [1, 2, 3, 4]];
      const kinds = batch.map((row) => row.map((_, s) => s % 2));
      const masks = batch.map((row) => row.map((_, s) => (s === 1 ? 0 : 1)));
      const got = await model.forward(batch, { tokenTypeIds: kinds, attentionMask: masks, attention: true });
      const embedded = await model.embed(batch, { tokenTypeIds: kinds, attentionMask: masks });
      for (const [b, row] of batch.entries()) {
        const wanted = bert(config, all, row, { types: kinds[b] as number[], attends: masks[b] as number[] });
        const n = row.length;
        expectClose(
          { data: got.lastHiddenState.data.subarray(b * 7 * E, (b * 7 + n) * E), shape: [n, E] },
          wanted.hiddenStates[L] as Exact,
          tolerance,
        );
        const truth = embed(wanted.hiddenStates[L] as Exact, masks[b] as number[]);
        expectClose(
          { data: embedded.data.subarray(b * E, (b + 1) * E), shape: [E] },
          { data: truth, shape: [E] },
          tolerance,
        );
      }
    });
  });

  describe('what is asked for', () => {
    test('nothing beside the last hidden state unless asked', async () => {
      const got = await model.forward(ids);
      expect([got.attentions, got.hiddenStates]).toEqual([undefined, undefined]);
    });
    test('layers and heads, in the order asked', async () => {
      const exact = bert(config, all, ids);
      const got = await model.forward(ids, { attention: { layers: [2, 0], heads: [1, 0] } });
      expect(got.attentions.map((map) => map.shape)).toEqual(Array(2).fill([1, 2, 7, 7]));
      for (const [n, layer] of [2, 0].entries())
        for (const [m, head] of [1, 0].entries()) {
          const map = got.attentions[n]?.data.subarray(m * 49, (m + 1) * 49) as Float32Array;
          const want = exact.attentions[layer]?.data.subarray(head * 49, (head + 1) * 49) as Float64Array;
          expectClose({ data: map, shape: [49] }, { data: want, shape: [49] }, tolerance);
        }
      const heads = await model.forward(ids, { attention: { heads: [2] } });
      expect(heads.attentions.map((map) => map.shape)).toEqual(Array(L).fill([1, 1, 7, 7]));
      const layers = await model.forward(ids, { attention: { layers: [1] } });
      expect(layers.attentions.map((map) => map.shape)).toEqual([[1, H, 7, 7]]);
    });
    test('onLayer counts the layers', async () => {
      const seen: [number, number][] = [];
      await model.forward(ids, { onLayer: (layer, layers) => seen.push([layer, layers]) });
      expect(seen).toEqual([
        [0, L],
        [1, L],
        [2, L],
      ]);
    });
    test('onLayer may use the engine, even until its memory grows', async () => {
      const large = { data: new Float32Array(engine().info.memoryBytes / 4), shape: [engine().info.memoryBytes / 4] };
      const onLayer = () => {
        engine().gelu(large);
      };
      expectSame(await model.forward(ids, { ...everything, onLayer }), bert(config, all, ids));
    });
    test('embed: pooling and normalize', async () => {
      const last = bert(config, all, ids).hiddenStates[L] as Exact;
      const attended = ids.map(() => 1);
      expectClose(
        await model.embed(ids, { pooling: 'mean', normalize: false }),
        { data: embed(last, attended, false), shape: [1, E] },
        tolerance,
      );
      const first = Array.from(last.data.subarray(0, E));
      expectClose(
        await model.embed(ids, { pooling: 'cls', normalize: false }),
        { data: first, shape: [1, E] },
        tolerance,
      );
      const lastToken = Array.from(last.data.subarray(6 * E));
      expectClose(
        await model.embed(ids, { pooling: 'last', normalize: false }),
        { data: lastToken, shape: [1, E] },
        tolerance,
      );
    });
    test('the event loop turns between layers', async () => {
      let [turns, running] = [0, true];
      const turn = () => {
        turns++;
        if (running) setImmediate(turn);
      };
      setImmediate(turn);
      await model.forward(ids);
      running = false;
      expect(turns).toBeGreaterThanOrEqual(L - 1);
    });
    test('no memory is kept of a call', async () => {
      const batch = Array.from({ length: 64 }, (_, b) => Array.from({ length: 19 }, (_, s) => (b + s) % 29));
      const call = async () => {
        await model.forward(batch, everything);
        await model.embed(batch);
      };
      for (let n = 0; n < 3; n++) await call();
      const bytes = engine().info.memoryBytes;
      for (let n = 0; n < 100; n++) await call();
      expect(engine().info.memoryBytes).toBe(bytes);
    });
    test('calls made at once come out as if made one by one', async () => {
      const inputs = [ids, [1, 2], [5, 5, 5, 5]];
      const results = await Promise.all(inputs.map((input) => model.forward(input, everything)));
      results.forEach((result, n) => {
        expectSame(result, bert(config, all, inputs[n] as number[]), inputs[n]?.length);
      });
    });
  });
});
