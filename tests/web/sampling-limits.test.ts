import type { Attention } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rejection } from './refusals.ts';
import { forEachVariant } from './variants.ts';

/**
 * A Llama whose one layer adds nothing, and whose tokens are all the same vector: its logits are `row`, whatever came.
 * After the token `strange` they are NaN.
 */
function filesOf(row: readonly number[], more: object = {}, strange = -1) {
  const V = row.length;
  const zeros = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)), shape });
  const filled = (value: number, ...shape: number[]) => ({
    ...zeros(...shape),
    data: zeros(...shape).data.fill(value),
  });
  const words = filled(1, V, 2);
  if (strange >= 0) words.data.fill(NaN, 2 * strange, 2 * strange + 2);
  const at = 'layers.0';
  return {
    config: {
      ...{ model_type: 'llama', vocab_size: V, hidden_size: 2, num_hidden_layers: 1, num_attention_heads: 1 },
      ...{ intermediate_size: 2, max_position_embeddings: 64 },
      ...more,
    },
    tensors: {
      'embed_tokens.weight': words,
      'norm.weight': filled(1, 2),
      'lm_head.weight': { data: Float32Array.from(row.flatMap((logit) => [logit, 0])), shape: [V, 2] },
      [`${at}.input_layernorm.weight`]: filled(1, 2),
      [`${at}.post_attention_layernorm.weight`]: filled(1, 2),
      ...Object.fromEntries(['q', 'k', 'v', 'o'].map((name) => [`${at}.self_attn.${name}_proj.weight`, zeros(2, 2)])),
      ...Object.fromEntries(['gate', 'up', 'down'].map((name) => [`${at}.mlp.${name}_proj.weight`, zeros(2, 2)])),
    },
  };
}

const ways: [how: string, options: object][] = [
  ['greedy', {}],
  ['sampled', { temperature: 1, seed: 3 }],
  ['of the best four', { temperature: 1, topK: 4 }],
  ['of a nucleus', { temperature: 2, topP: 0.9 }],
];

let worker: AsyncAttention;
beforeAll(async () => {
  worker = await createAttentionWorker();
});
afterAll(() => worker?.dispose());

forEachVariant('logits at their limits', (engine: () => Attention) => {
  describe.each([
    ['here', async (files: ReturnType<typeof filesOf>) => createModel(engine(), files)],
    ['in a worker', async (files: ReturnType<typeof filesOf>) => worker.createModel(files)],
  ])('%s', (_, make) => {
    async function using<T>(files: ReturnType<typeof filesOf>, use: (model: Model) => Promise<T>): Promise<T> {
      const model = await make(files);
      try {
        return await use(model);
      } finally {
        model.dispose();
      }
    }
    const written = (row: readonly number[], options: object, maxNewTokens = 4, more = {}) =>
      using(filesOf(row, more), async (model) => [
        ...(await model.generate([0], { maxNewTokens, stop: [], ...options })),
      ]);

    test('are what the row says', async () => {
      const { logits } = await using(filesOf([1, -2, 3]), (model) => model.forward([0, 1]));
      expect(Array.from(logits?.data ?? [])).toEqual([1, -2, 3].map((logit) => expect.closeTo(logit, 5)));
    });

    describe.each(ways)('%s', (_, options) => {
      test.each([0, 2, 4])('a NaN for id %i is an error that names it, and the token', async (id) => {
        const row = [1, 2, 3, 4, 5];
        row[id] = NaN;
        await using(filesOf(row), async (model) => {
          const error = await rejection(model.generate([0], { maxNewTokens: 4, ...options }));
          expect(error.code).toBe('INVALID_ARGUMENT');
          expect(error.message).toContain(`new token 0 are NaN for id ${id}`);
        });
      });
      test('a NaN later on leaves the cache as it was', async () => {
        await using(filesOf([0, 1, 99, 2], {}, 2), async (model) => {
          const cache = model.createCache();
          await model.forward([0, 1], { cache });
          const told: number[] = [];
          const onToken = ({ id }: { id: number }) => told.push(id);
          const error = await rejection(model.generate([0], { maxNewTokens: 4, cache, onToken, ...options } as never));
          expect([told, error.message.includes('new token 1 are NaN'), cache.length]).toEqual([[2], true, 2]);
          cache.dispose();
        });
      });
      test('only -Infinity is an error', async () => {
        await using(filesOf(Array(5).fill(-Infinity)), async (model) => {
          const error = await rejection(model.generate([0], { maxNewTokens: 4, ...options }));
          expect(error.code).toBe('INVALID_ARGUMENT');
          expect(error.message).toContain('-Infinity for every id');
        });
      });
      test('and so is nothing beside ids that are never written', async () => {
        await using(filesOf([-Infinity, 5, -Infinity], { bad_words_ids: [[1]] }), async (model) => {
          const error = await rejection(model.generate([0], { maxNewTokens: 4, ...options }));
          expect(error.message).toContain('-Infinity for every id');
        });
      });
      test('an infinite one is picked for certain', async () => {
        const probabilities: number[] = [];
        const onToken = ({ logProbability }: { logProbability: number }) => {
          probabilities.push(logProbability);
        };
        expect(await written([1, 2, Infinity, 3e38, -Infinity], { ...options, onToken })).toEqual([2, 2, 2, 2]);
        expect(probabilities.map(Math.abs)).toEqual([0, 0, 0, 0]);
      });
      test('one of -Infinity is never picked, and counts for nothing', async () => {
        const probabilities: [number, number][] = [];
        const onToken = ({ id, logProbability }: { id: number; logProbability: number }) => {
          probabilities.push([id, logProbability]);
        };
        const ids = await written([-Infinity, 1, -Infinity, 1, 0.5], { ...options, onToken }, 40);
        expect(ids.filter((id) => id === 0 || id === 2)).toEqual([]);
        const sum = 2 * Math.exp(1) + Math.exp(0.5);
        for (const [id, got] of probabilities) {
          const want = (id === 4 ? 0.5 : 1) - Math.log(sum);
          if (!(Math.abs(got - want) <= 2e-6)) throw new Error(`ln p of ${id} is ${got}, wanted ${want}`);
        }
      });
    });

    test('two infinite ones share all there is', async () => {
      const probabilities: number[] = [];
      const onToken = ({ logProbability }: { logProbability: number }) => {
        probabilities.push(logProbability);
      };
      const row = [1, Infinity, 2, Infinity, 3];
      expect(await written(row, {})).toEqual([1, 1, 1, 1]);
      const drawn = await written(row, { temperature: 1, onToken }, 40);
      expect([...new Set(drawn)].sort()).toEqual([1, 3]);
      for (const got of probabilities) if (!(Math.abs(got + Math.LN2) <= 2e-7)) throw new Error(`ln p is ${got}`);
    });

    describe('topK goes by logits, not by probabilities', () => {
      // At this temperature float32 has one probability for all.
      const high = { temperature: 1e12 };
      const row = Array.from({ length: 40 }, (_, id) => (id * 7) % 40);
      const best = (count: number) =>
        row
          .map((_, id) => id)
          .sort((a, b) => (row[b] as number) - (row[a] as number))
          .slice(0, count);
      test.each([1, 2, 5])('of which it leaves %i', async (topK) => {
        const ids = new Set(await written(row, { ...high, topK }, 60));
        expect([...ids].sort()).toEqual(best(topK).sort());
      });
      test('equal ones by rising id', async () => {
        const ids = new Set(await written([1, 5, 5, 2, 5, 5], { ...high, topK: 3 }, 60));
        expect([...ids].sort()).toEqual([1, 2, 4]);
      });
      test('the nucleus, too', async () => {
        const ids = new Set(await written(row, { ...high, topP: 0.09 }, 60));
        expect([...ids].sort()).toEqual(best(4).sort());
      });
    });
  });
});
