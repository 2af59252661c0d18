import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { decoders, encoder } from './families.ts';
import { entry, expectTrace, mapOf, near } from './model-compare.ts';
import { embed } from './oracle/bert.ts';
import { rowsOf } from './oracle/model.ts';
import type { Exact } from './oracle/values.ts';
import { rejection } from './refusals.ts';
import { forEachVariant } from './variants.ts';

const ids = [3, 0, 28, 7, 7, 14, 1, 22, 9];
const S = ids.length;
const everything = { attention: true, hiddenStates: true, projections: true } as const;

forEachVariant('options of models', (engine: () => Attention) => {
  describe.each([encoder, ...decoders])('$name', (family) => {
    const { heads, layers, embedSize: E } = family;
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: family.config, tensors: family.tensors });
    });
    afterAll(() => model?.dispose());

    describe('what is asked for', () => {
      test('nothing unless asked', async () => {
        const got = await model.forward(ids);
        expect([got.attentions, got.hiddenStates, got.projections]).toEqual([undefined, undefined, undefined]);
      });
      test('layers and heads, in the order asked', async () => {
        const exact = family.exact(ids);
        const got = await model.forward(ids, { attention: { layers: [2, 0], heads: [1, 0] } });
        expect(got.attentions.map((map) => map.shape)).toEqual(Array(2).fill([1, 2, S, S]));
        for (const [n, layer] of [2, 0].entries()) {
          const { data } = exact.attentions[layer] as Exact;
          const want = Float64Array.from([1, 0].flatMap((h) => [...data.subarray(h * S * S, (h + 1) * S * S)]));
          expectClose(got.attentions[n] as never, { data: want, shape: [1, 2, S, S] }, 2e-5);
        }
      });
      test('projections that give every probability', async () => {
        const got = await model.forward(ids, { projections: true, attention: true, attentionTemperature: 1.3 });
        got.projections?.forEach(({ query, key, logSumExp, scale }, layer) => {
          const [, , , D = 0] = query.shape;
          const group = heads / (key.shape[1] as number);
          got.attentions[layer]?.data.forEach((p, n) => {
            const [line, j] = [Math.floor(n / S), n % S];
            if (family.causal && j > line % S) {
              expect(p).toBe(0);
              return;
            }
            const keyLine = Math.floor(line / S / group) * S + j;
            let dot = 0;
            for (let d = 0; d < D; d++)
              dot += (query.data[line * D + d] as number) * (key.data[keyLine * D + d] as number);
            const again = Math.exp(scale * dot - (logSumExp.data[line] as number));
            // A score of 10 or so as a float32, and a logSumExp: each off by some 1e-6.
            if (!(Math.abs(again - p) <= 1e-5)) throw new Error(`layer ${layer}, pair ${n}: ${again}, wanted ${p}`);
          });
        });
      });
      test('hidden states and nothing else', async () => {
        const got = await model.forward(ids, { hiddenStates: true });
        expect(got.hiddenStates?.length).toBe(layers + 1);
        expect([got.attentions, got.projections]).toEqual([undefined, undefined]);
      });
      test('onLayer counts the layers', async () => {
        const seen: [number, number][] = [];
        await model.forward(ids, { onLayer: (layer, of) => seen.push([layer, of]) });
        expect(seen).toEqual(Array.from({ length: layers }, (_, layer) => [layer, layers]));
      });
    });

    test('a ragged batch equals single runs', async () => {
      const batch = [ids, [5, 6], [9, 4, 3, 2, 1]];
      const got = await model.forward(batch, everything);
      for (const [b, row] of batch.entries()) {
        const exact = family.exact(row);
        expectClose(entry(got.lastHiddenState, b, row.length), exact.lastHiddenState, near(exact.lastHiddenState));
        got.attentions.forEach((map, layer) => {
          expectClose(mapOf(map, b, row.length), exact.attentions[layer] as Exact, 2e-5);
        });
      }
      const embedded = await model.embed(batch);
      batch.forEach((row, b) => {
        const want = embed(
          family.exact(row).lastHiddenState,
          row.map(() => 1),
        );
        expectClose({ data: embedded.data.subarray(b * E, (b + 1) * E), shape: [E] }, { data: want, shape: [E] }, 2e-5);
      });
    });

    describe('signal', () => {
      const reason = new Error('seen enough');
      test('before', async () => {
        const error = await rejection(model.forward(ids, { signal: AbortSignal.abort(reason) }));
        expect([error.code, error.cause]).toEqual(['ABORTED', reason]);
      });
      test('between layers', async () => {
        const controller = new AbortController();
        const seen: number[] = [];
        const onLayer = (layer: number) => {
          seen.push(layer);
          controller.abort(reason);
        };
        const error = await rejection(model.forward(ids, { signal: controller.signal, onLayer }));
        expect([error.code, error.cause, seen]).toEqual(['ABORTED', reason, [0]]);
        expectTrace(await model.forward(ids), family.exact(ids));
      });
    });
  });

  describe.each(decoders)('$name', (family) => {
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: family.config, tensors: family.tensors });
    });
    afterAll(() => model?.dispose());

    test('padding on the left equals none', async () => {
      const n = 4;
      const got = await model.forward([ids, [5, 5, 5, 5, 5, ...ids.slice(0, n)]], {
        ...everything,
        attentionMask: [ids.map(() => 1), [0, 0, 0, 0, 0, 1, 1, 1, 1]],
        logits: 'all',
      });
      const [whole, part] = [family.exact(ids), family.exact(ids.slice(0, n))];
      expectClose(entry(got.lastHiddenState, 0), whole.lastHiddenState, near(whole.lastHiddenState));
      const states = entry(got.lastHiddenState, 1).data.subarray((S - n) * family.embedSize);
      expectClose({ data: states, shape: [n, family.embedSize] }, part.lastHiddenState, near(part.lastHiddenState));
      const logits = entry(got.logits as never, 1).data.subarray((S - n) * family.vocabulary);
      expectClose({ data: logits, shape: [n, family.vocabulary] }, part.logits, near(part.logits));
      got.attentions.forEach((map, layer) => {
        expectClose(mapOf(map, 1, n, S - n), part.attentions[layer] as Exact, 2e-5);
      });
    });
    test('tokens hidden in the middle are not counted', async () => {
      const attends = [1, 1, 0, 1, 1, 0, 0, 1, 1];
      const { logits } = await model.forward(ids, { attentionMask: attends });
      const kept = ids.filter((_, s) => attends[s]);
      const want = family.exact(kept).logits;
      const last = { data: rowsOf(want, kept.length - 1, kept.length).data, shape: [1, 1, family.vocabulary] };
      expectClose(logits as never, last, near(want));
    });
    test('embed takes the last attended token where it is asked to', async () => {
      const n = 5;
      const attentionMask = [ids.map((_, s) => (s < n ? 1 : 0)), ids.map((_, s) => (s < S - n ? 0 : 1))];
      const padded = [...ids.slice(n), ...ids.slice(0, n)].slice(-S);
      const got = await model.embed([ids, padded], { attentionMask, pooling: 'last', normalize: false });
      const { lastHiddenState: want } = family.exact(ids.slice(0, n));
      const { data } = rowsOf(want, n - 1, n);
      expectClose(got, { data: [...data, ...data], shape: [2, family.embedSize] }, near(want));
    });
    test('the causal rule stays beside a mask', async () => {
      const all = { data: new Uint8Array(S * S).fill(1), shape: [S, S], dtype: 'bool' as const };
      expectTrace(await model.forward(ids, { ...everything, mask: all }), family.exact(ids));
    });
  });
});
