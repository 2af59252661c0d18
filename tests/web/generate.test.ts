import type { Attention, NdArray } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { greedy, type Next } from './decoding.ts';
import { decoders } from './families.ts';
import { near, since } from './model-compare.ts';
import { marian } from './oracle/marian.ts';
import type { Exact } from './oracle/values.ts';
import { Random } from './random.ts';
import * as ofMarian from './synthetic-marian.ts';
import { forEachVariant } from './variants.ts';

const prompt = [3, 0, 28, 7, 14];
const P = prompt.length;
interface Token {
  id: number;
  index: number;
  logProbability: number;
  attentions: NdArray[] | undefined;
}

forEachVariant('generate', (engine: () => Attention) => {
  describe.each(decoders)('$name', (family) => {
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: family.config, tensors: family.tensors });
    });
    afterAll(() => model?.dispose());
    const next: Next = (ids) => family.exact(ids).logits;
    const steps = greedy(next, prompt, 12);
    const ids = steps.map(({ id }) => id);

    describe('greedy', () => {
      test('equals the oracle’s most likely ids', async () => {
        const got = await model.generate(prompt, { maxNewTokens: 12, stop: [] });
        expect(got).toBeInstanceOf(Int32Array);
        expect([...got]).toEqual(ids);
      });
      test.each([
        ['Int32Array', Int32Array.from(prompt)],
        ['BigInt64Array', BigInt64Array.from(prompt.map(BigInt))],
        ['a tensor', { data: BigInt64Array.from(prompt.map(BigInt)), shape: [P] }],
        ['a tensor [1,S]', { data: Int32Array.from(prompt), dims: [1, P] }],
      ])('a prompt as %s', async (_, input) => {
        expect([...(await model.generate(input as never, { maxNewTokens: 3, stop: [] }))]).toEqual(ids.slice(0, 3));
      });
      test('a long prompt under a dense mask, which is as large as all of it', async () => {
        const positions = { max_position_embeddings: 300, n_positions: 300 };
        const tensors = { ...family.tensors };
        for (const name of Object.keys(tensors).filter((one) => one.endsWith('wpe.weight'))) {
          const { shape } = tensors[name] as { shape: number[] };
          tensors[name] = new Random(5).tensor([300, shape[1] as number]);
        }
        const config = Object.fromEntries(
          Object.entries({ ...family.config, ...positions }).filter(([key]) => key in family.config),
        );
        const long = createModel(engine(), { config, tensors } as never);
        const text = Array.from({ length: 290 }, (_, i) => (i * 7) % 29);
        const data = Uint8Array.from({ length: 290 * 290 }, (_, n) => Number((n % 290) % 3 > 0 || n % 290 === 0));
        const mask = { data, shape: [290, 290], dtype: 'bool' } as const;
        const { logits } = await long.forward(text, { mask });
        const likely = (logits as NdArray).data.reduce((best, x, i, all) => (x > (all[best] as number) ? i : best), 0);
        expect([...(await long.generate(text, { maxNewTokens: 1, stop: [], mask }))]).toEqual([likely]);
        long.dispose();
      });
      test('a prompt of one token', async () => {
        const want = greedy(next, [7], 4).map(({ id }) => id);
        expect([...(await model.generate([7], { maxNewTokens: 4, stop: [] }))]).toEqual(want);
      });
      test('up to the last position', async () => {
        const most = model.maxLength - P;
        const want = greedy(next, prompt, most).map(({ id }) => id);
        expect([...(await model.generate(prompt, { maxNewTokens: most, stop: [] }))]).toEqual(want);
      });
      test('with a mask, an ablated head and a temperature of attention', async () => {
        const hooks = { ablate: [[1, 1]] as [number, number][], temperature: 1.5 };
        const want = greedy((text) => family.exact(text, hooks).logits, prompt, 6).map(({ id }) => id);
        const options = { ablateHeads: hooks.ablate, attentionTemperature: hooks.temperature };
        expect([...(await model.generate(prompt, { ...options, maxNewTokens: 6, stop: [] }))]).toEqual(want);
      });
    });

    describe('stop', () => {
      const at = ids.findIndex((id, n) => n > 2 && ids.indexOf(id) === n);
      test('ends before the first of its ids', async () => {
        const stop = [ids[at] as number, 29];
        const got = await model.generate(prompt, { maxNewTokens: 12, stop });
        expect([...got]).toEqual(ids.slice(0, at));
      });
      test.each([
        ['a number', (id: number) => id],
        ['a list', (id: number) => [29, id]],
      ])('is the config’s eos_token_id, %s, by default', async (_, eos) => {
        const config = { ...family.config, eos_token_id: eos(ids[at] as number) };
        const own = createModel(engine(), { config, tensors: family.tensors });
        expect([...(await own.generate(prompt, { maxNewTokens: 12 }))]).toEqual(ids.slice(0, at));
        expect([...(await own.generate(prompt, { maxNewTokens: 12, stop: [] }))]).toEqual(ids);
        own.dispose();
      });
      test('at once gives nothing', async () => {
        expect([...(await model.generate(prompt, { maxNewTokens: 5, stop: [ids[0] as number] }))]).toEqual([]);
      });
    });

    describe('onToken', () => {
      test('comes in order, is awaited, and knows the probability', async () => {
        const seen: Token[] = [];
        let busy = false;
        const onToken = async (token: Token) => {
          expect(busy).toBe(false);
          busy = true;
          await new Promise((resolve) => setTimeout(resolve, 1));
          seen.push(token);
          busy = false;
        };
        const got = await model.generate(prompt, { maxNewTokens: 6, stop: [], onToken });
        expect(busy).toBe(false);
        expect(seen.map(({ id }) => id)).toEqual([...got]);
        expect(seen.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
        expect(seen.every(({ attentions }) => attentions === undefined)).toBe(true);
        const probabilities = { data: seen.map(({ logProbability }) => logProbability), shape: [6] };
        const want = { data: steps.slice(0, 6).map(({ logProbability }) => logProbability), shape: [6] };
        expectClose(probabilities, want, near(next(prompt)));
      });
      test.each([
        ['false', () => false],
        ['a promise of false', async () => false],
      ])('%s ends', async (_, answer) => {
        const onToken = ({ index }: Token) => (index === 2 ? answer() : undefined);
        expect([...(await model.generate(prompt, { maxNewTokens: 9, stop: [], onToken }))]).toEqual(ids.slice(0, 3));
      });
      test.each([[0], [null], [''], [undefined], [true]])('%s does not', async (answer) => {
        const options = { maxNewTokens: 4, stop: [], onToken: () => answer };
        expect([...(await model.generate(prompt, options))]).toEqual(ids.slice(0, 4));
      });
      test('what it throws is thrown', async () => {
        const reason = new Error('not this word');
        const onToken = () => {
          throw reason;
        };
        await expect(model.generate(prompt, { maxNewTokens: 3, stop: [], onToken })).rejects.toBe(reason);
        await expect(
          model.generate(prompt, { maxNewTokens: 3, stop: [], onToken: () => Promise.reject(reason) }),
        ).rejects.toBe(reason);
      });
      test('brings the attentions of each step', async () => {
        const seen: Token[] = [];
        await model.generate(prompt, {
          maxNewTokens: 4,
          stop: [],
          attention: { layers: [2, 0], heads: [1] },
          onToken: (token) => {
            seen.push(token as Token);
          },
        });
        seen.forEach(({ attentions }, n) => {
          const rows = n === 0 ? P : 1;
          const keys = P + n;
          const exact = family.exact([...prompt, ...ids.slice(0, n)]);
          const part = n === 0 ? exact : since(keys - 1, exact);
          for (const [at, layer] of [2, 0].entries()) {
            const data = (part.attentions[layer] as Exact).data.slice(rows * keys, 2 * rows * keys);
            expectClose(attentions?.[at] as NdArray, { data, shape: [1, 1, rows, keys] }, 2e-5);
          }
          expect(attentions?.length).toBe(2);
        });
        expect(seen.length).toBe(4);
      });
      test('brings all of them when all are wanted', async () => {
        const shapes: number[][][] = [];
        const onToken = ({ attentions }: { attentions: NdArray[] }) => {
          shapes.push(attentions.map(({ shape }) => shape));
        };
        await model.generate(prompt, { maxNewTokens: 2, stop: [], attention: true, onToken });
        expect(shapes).toEqual([Array(3).fill([1, family.heads, P, P]), Array(3).fill([1, family.heads, 1, P + 1])]);
      });
    });
  });

  describe('Marian', () => {
    const { config, start, end } = ofMarian;
    const all = ofMarian.weights();
    const next: Next = (target) => marian(config, all, [...prompt, end], [start, ...target]).logits;
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config, tensors: all });
    });
    afterAll(() => model?.dispose());
    const steps = greedy(next, [], 12);
    const ids = steps.map(({ id }) => id);
    // Real checkpoints forbid their padding: the oracle must not want it.
    test('never wants padding', () => expect(ids).not.toContain(config.pad_token_id));

    test('equals the oracle’s most likely ids', async () => {
      const seen: Token[] = [];
      const onToken = (token: Token) => {
        seen.push(token);
      };
      const got = await model.generate([...prompt, end], { maxNewTokens: 12, stop: [], onToken });
      expect([...got]).toEqual(ids);
      const probabilities = { data: seen.map(({ logProbability }) => logProbability), shape: [12] };
      const want = { data: steps.map(({ logProbability }) => logProbability), shape: [12] };
      expectClose(probabilities, want, near(next([])));
    });
    // transformers reads them from config.json where there is no generation_config.json.
    test('never writes bad_words_ids of one id each', async () => {
      const bad_words_ids = [[28], [ids[0] as number]];
      const own = createModel(engine(), { config: { ...config, bad_words_ids }, tensors: all });
      expect([...(await own.generate([...prompt, end], { maxNewTokens: 4, stop: [] }))]).not.toContain(ids[0]);
      own.dispose();
    });
    test('ends with eos_token_id by default', async () => {
      const at = ids.findIndex((id, n) => n > 1 && ids.indexOf(id) === n);
      const own = createModel(engine(), { config: { ...config, eos_token_id: ids[at] as number }, tensors: all });
      expect([...(await own.generate([...prompt, end], { maxNewTokens: 12 }))]).toEqual(ids.slice(0, at));
      own.dispose();
    });
    test('brings the decoder’s own attentions', async () => {
      const seen: NdArray[][] = [];
      const onToken = ({ attentions }: { attentions: NdArray[] }) => {
        seen.push(attentions);
      };
      await model.generate([...prompt, end], { maxNewTokens: 3, stop: [], attention: true, onToken });
      seen.forEach((maps, n) => {
        const exact = since(n, marian(config, all, [...prompt, end], [start, ...ids.slice(0, n)]));
        maps.forEach((map, layer) => {
          expectClose(map, exact.attentions[layer] as Exact, 2e-5);
        });
      });
      expect(seen.map((maps) => maps.length)).toEqual([3, 3, 3]);
    });
  });
});
