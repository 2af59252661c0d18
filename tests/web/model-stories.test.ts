import type { Attention } from 'attention-wasm';
import { createModel, type Model, type ModelCache } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { lastOf } from './decoding.ts';
import { near } from './model-compare.ts';
import { llama } from './oracle/llama.ts';
import { argmax, type DecoderTrace } from './oracle/model.ts';
import { folder, isPresent, readBytes, readConfig, readExpected, readTensors } from './stories.ts';
import { forEachVariant } from './variants.ts';

if (!isPresent)
  console.warn(`\n*** STORIES WERE NOT TOLD: no ${folder}, and ATTENTION_WASM_MODELS names no other folder. ***\n`);

const prompt = [1, 403, 407, 261, 378];
const told = 200;

/** The oracle's story: each step continues its own keys and values. */
function tell() {
  const [config, tensors] = [readConfig(), readTensors()];
  let [past, next]: [DecoderTrace['past'] | undefined, readonly number[]] = [undefined, prompt];
  const steps: { id: number; lead: number; row: Float64Array }[] = [];
  while (steps.length < told) {
    const exact: DecoderTrace = llama(config, tensors, next, {}, past);
    const row = lastOf(exact.logits);
    const { id, lead } = argmax(row);
    steps.push({ id, lead, row });
    [past, next] = [exact.past, [id]];
  }
  return steps;
}

describe.runIf(isPresent)('stories', () => {
  const steps = isPresent ? tell() : [];
  const ids = steps.map(({ id }) => id);
  const text = [...prompt, ...ids];

  test('the oracle begins as an independent implementation did', () => {
    const { promptIds, greedyFirst24 } = readExpected();
    expect(promptIds).toEqual(prompt);
    expect(ids.slice(0, 24)).toEqual(greedyFirst24);
  });
  test('the oracle’s own cache equals the whole text at once', () => {
    const { logits } = llama(readConfig(), readTensors(), text.slice(0, 60));
    for (let n = 0; n < 55; n++) {
      const row = { data: logits.data.subarray((n + 4) * 512, (n + 5) * 512), shape: [512] };
      expectClose(row, { data: steps[n]?.row as Float64Array, shape: [512] }, 1e-10);
    }
  });
  test('no step is a tie that float32 could break', () => {
    expect(Math.min(...steps.map(({ lead }) => lead))).toBeGreaterThan(1e-3);
  });

  forEachVariant('with the package', (engine: () => Attention) => {
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: readConfig(), tensors: readBytes() });
    });
    afterAll(() => model?.dispose());

    /** Rows of logits [1,n,512] of the tokens from `from` on: what the oracle has, and the same next ids. */
    function expectRows(logits: { data: Float32Array; shape: number[] } | undefined, from: number): void {
      const [, n = 0] = logits?.shape ?? [];
      for (let i = 0; i < n; i++) {
        const step = steps[from + i - prompt.length + 1];
        if (!step) continue;
        const data = logits?.data.subarray(i * 512, (i + 1) * 512) as Float32Array;
        const want = { data: step.row, shape: [512] };
        expectClose({ data, shape: [512] }, want, near(want));
        expect(argmax(data).id).toBe(step.id);
      }
    }
    async function feed(cache: ModelCache, size: number, to = text.length) {
      for (let from = cache.length; from < to; from = cache.length) {
        const block = text.slice(from, Math.min(to, from + size));
        const { logits } = await model.forward(block, { cache, logits: 'all' });
        expectRows(logits, from);
      }
    }

    test('says what it is', () => {
      const { type, layers, heads, kvHeads, embedSize, maxLength } = model;
      expect([type, layers, heads, kvHeads, embedSize, maxLength]).toEqual(['llama', 5, 8, 4, 64, 512]);
    });
    test(`generates the oracle’s ${told} ids`, async () => {
      expect([...(await model.generate(prompt, { maxNewTokens: told, stop: [] }))]).toEqual(ids);
    });
    test('computed anew for every token', async () => {
      for (let n = 0; n < told; n++) {
        const { logits } = await model.forward(text.slice(0, prompt.length + n));
        expectRows(logits, prompt.length + n - 1);
      }
    });
    test('all at once', async () => {
      expectRows((await model.forward(text, { logits: 'all' })).logits, 0);
    });
    test.each([1, 7, 64])('read by a cache in blocks of %i', async (size) => {
      const cache = model.createCache();
      await feed(cache, size);
      expect(cache.length).toBe(text.length);
      cache.dispose();
    });
    test('forked, truncated, and read again', async () => {
      const cache = model.createCache();
      await feed(cache, 64, 90);
      const fork = cache.fork();
      await model.forward([1, 2, 3, 4, 5, 6, 7], { cache });
      await feed(fork, 7, 150);
      cache.truncate(40);
      await feed(cache, 13, 150);
      const rest = text.slice(150);
      for (const one of [cache, fork]) {
        const next = await model.generate(rest.slice(0, 1), { maxNewTokens: 30, stop: [], cache: one });
        expect([...next]).toEqual(rest.slice(1, 31));
        one.dispose();
      }
    });
    test('after a prompt longer than a block of reading', async () => {
      const long = [...text, ...text].slice(0, 300);
      let exact: DecoderTrace = llama(readConfig(), readTensors(), long);
      const want: number[] = [];
      while (want.length < 5) {
        const { id, lead } = argmax(lastOf(exact.logits));
        expect(lead).toBeGreaterThan(1e-3);
        want.push(id);
        exact = llama(readConfig(), readTensors(), [id], {}, exact.past);
      }
      expect([...(await model.generate(long, { maxNewTokens: 5, stop: [] }))]).toEqual(want);
    });
    test('kept in halves: the same 100 ids', async () => {
      const cache = model.createCache({ dtype: 'float16' });
      expect([...(await model.generate(prompt, { maxNewTokens: 100, stop: [], cache }))]).toEqual(ids.slice(0, 100));
      cache.dispose();
    });
  });
});
