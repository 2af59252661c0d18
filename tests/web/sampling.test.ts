import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { distribution, greedy, lastOf, logSoftmax, type Sampling } from './decoding.ts';
import { decoders } from './families.ts';
import { near } from './model-compare.ts';
import { forEachVariant } from './variants.ts';

const prompt = [3, 0, 28, 7, 14];
const [family] = decoders as [(typeof decoders)[number]];
const logits = family.exact(prompt).logits;
const row = lastOf(logits);
const drawn = 1500;

test('the oracle keeps what the papers say', () => {
  const three = [1, 2, 4, 8].map(Math.log);
  expect(distribution(three, { temperature: 1 })).toEqual([1, 2, 4, 8].map((n) => expect.closeTo(n / 15, 12)));
  expect(distribution(three, { temperature: 0.5, topK: 2 })).toEqual([0, 0, expect.closeTo(0.2), expect.closeTo(0.8)]);
  expect(distribution(three, { temperature: 1, topP: 0.5 })).toEqual([0, 0, 0, 1]);
  expect(distribution(three, { temperature: 1, topP: 0.6 })).toEqual([
    0,
    0,
    expect.closeTo(1 / 3),
    expect.closeTo(2 / 3),
  ]);
  // Of the two most likely, 4/12 and 8/12, the first has 0.65.
  expect(distribution(three, { temperature: 1, topK: 2, topP: 0.65 })).toEqual([0, 0, 0, 1]);
});

forEachVariant('sampling', (engine: () => Attention) => {
  let model: Model;
  beforeAll(() => {
    model = createModel(engine(), { config: family.config, tensors: family.tensors });
  });
  afterAll(() => model?.dispose());
  const ids = greedy((text) => family.exact(text).logits, prompt, 10).map(({ id }) => id);
  const generate = async (options: object, maxNewTokens = 10) => [
    ...(await model.generate(prompt, { maxNewTokens, stop: [], ...options })),
  ];

  describe('seed', () => {
    test('the same gives the same ids', async () => {
      const once = await generate({ temperature: 2, seed: 7 });
      expect(await generate({ temperature: 2, seed: 7 })).toEqual(once);
    });
    test('others give others', async () => {
      const runs = new Set<string>();
      for (let seed = 0; seed < 8; seed++) runs.add(String(await generate({ temperature: 2, seed })));
      expect(runs.size).toBeGreaterThan(6);
    });
    test('the same ids whether they come through a cache or not', async () => {
      const once = await generate({ temperature: 2, seed: 7 });
      const cache = model.createCache();
      expect(await generate({ temperature: 2, seed: 7, cache })).toEqual(once);
      cache.dispose();
    });
  });

  describe('is greedy', () => {
    test.each([
      ['next to temperature 0', { temperature: 1e-39 }],
      ['next to temperature 0, with a topP', { temperature: 1e-39, topP: 0.5 }],
      ['at the smallest topP', { temperature: 5, topP: 5e-324 }],
      ['with a topK of 1', { temperature: 5, topK: 1 }],
      ['with a topP that the first alone has', { temperature: 1, topP: 1e-9 }],
      ['near temperature 0', { temperature: 1e-4 }],
      ['at temperature 0', { temperature: 0 }],
    ])('%s', async (_, options) => {
      const given = options.temperature ? { ...options, seed: 3 } : options;
      expect(await generate(given)).toEqual(ids);
    });
  });

  describe(`${drawn} draws are distributed as`, () => {
    const cases: [string, Sampling][] = [
      ['the model says', { temperature: 1 }],
      ['a higher temperature says', { temperature: 3 }],
      ['the best four, weighed', { temperature: 3, topK: 4 }],
      ['the nucleus, weighed', { temperature: 3, topP: 0.6 }],
      // The best four have 0.8 of all between them only when they are made to sum to 1, as transformers does: then three are enough.
      ['the nucleus of the best four', { temperature: 3, topK: 4, topP: 0.8 }],
    ];
    test.each(cases)('%s', async (_, options) => {
      const want = distribution(row, options);
      const count = want.map(() => 0);
      for (let seed = 0; seed < drawn; seed++) {
        const [id] = (await generate({ ...options, seed }, 1)) as [number];
        count[id] = (count[id] as number) + 1;
      }
      // Of n draws with probability p the count is off by √(n·p·(1−p)) as a rule, and by five times as much once in two million.
      want.forEach((p, id) => {
        const off = Math.abs((count[id] as number) - drawn * p);
        if (!(off <= 5 * Math.sqrt(drawn * p * (1 - p)) + (p > 0 ? 1 : 0)))
          throw new Error(`id ${id} came ${count[id]} times, wanted ${drawn * p}`);
      });
    });
  });
  test('steps of one call are drawn apart', async () => {
    // At so high a temperature all ids are alike: the chance that ten draws of 31 show fewer than four is below 1e-7.
    for (let seed = 0; seed < 20; seed++)
      expect(new Set(await generate({ temperature: 1e6, seed })).size).toBeGreaterThan(3);
  });

  test('logProbability is the model’s own, unfiltered and at temperature 1', async () => {
    const seen: { id: number; logProbability: number }[] = [];
    const onToken = (token: { id: number; logProbability: number }) => {
      seen.push(token);
    };
    const got = await generate({ temperature: 3, topK: 5, seed: 11, onToken }, 8);
    got.forEach((id, n) => {
      const exact = family.exact([...prompt, ...got.slice(0, n)]).logits;
      const want = logSoftmax(lastOf(exact))[id] as number;
      expect(Math.abs((seen[n]?.logProbability as number) - want)).toBeLessThanOrEqual(near(exact));
    });
    expect(seen.length).toBe(8);
  });
});
