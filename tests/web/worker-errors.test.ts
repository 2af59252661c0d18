import { type Attention, AttentionError, createAttention } from 'attention-wasm';
import { type AsyncAttention, createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wrongAttention } from './errors-attention.ts';
import { wrongCalls } from './errors-calls.ts';
import { wrongForeign } from './errors-foreign.ts';
import { wrongFunctions } from './errors-functions.ts';
import { wrongMasks } from './errors-masks.ts';
import { wrongOptions } from './errors-options.ts';
import { wrongStored } from './errors-stored.ts';

/** Wrong calls, made here and in a worker: the same error, whatever has to cross over. */
let here: Attention;
let there: AsyncAttention;
beforeAll(async () => {
  [here, there] = await Promise.all([createAttention(), createAttentionWorker({ threads: 1 })]);
});
afterAll(() => {
  here?.dispose();
  there?.dispose();
});

/** The functions that a worker has; a test that asks for another is not of it. */
const functions = [
  'scaledDotProductAttention',
  'variableLengthAttention',
  'selfAttention',
  'crossAttention',
  'linearAttention',
  'attentionMap',
];

class NotHere extends Error {}

/** An array as the result's place is written into here alone. */
const givesArray = (args: unknown[]) => (args.at(-1) as { out?: unknown } | undefined)?.out instanceof Float32Array;

/** An engine that has those functions alone, and remembers what was called. */
function restricted<E extends object>(engine: E): { engine: E; result: () => unknown } {
  let result: unknown;
  const proxy = new Proxy(engine, {
    get(target, name) {
      if (!functions.includes(String(name))) throw new NotHere();
      const method = (target as Record<PropertyKey, (...args: unknown[]) => unknown>)[name];
      return (...args: unknown[]) => {
        result = method?.apply(target, args);
        return result;
      };
    },
  });
  return { engine: proxy, result: () => result };
}

const all = [
  ...wrongAttention,
  ...wrongCalls,
  ...wrongForeign,
  ...wrongFunctions,
  ...wrongMasks,
  ...wrongOptions,
  ...wrongStored,
].filter(([, call]) => {
  let isLeftOut = false;
  const ask = (...args: unknown[]) => {
    isLeftOut = givesArray(args);
  };
  try {
    call(restricted(Object.fromEntries(functions.map((name) => [name, ask])) as object).engine as Attention);
    return !isLeftOut;
  } catch {
    return false;
  }
});

describe('errors in a worker', () => {
  test('a place for the result is a tensor of the worker', async () => {
    const x = { data: new Float32Array(8), shape: [2, 4] };
    const out = new Float32Array(8) as never;
    const call = there.scaledDotProductAttention(x, x, x, { out });
    await expect(call).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options.out' });
  });

  test('what looks like a word of the worker’s own is no value', async () => {
    const x = { data: new Float32Array(8), shape: [2, 4] };
    const causal = { $attention: 'x' } as never;
    const call = there.scaledDotProductAttention(x, x, x, { causal });
    await expect(call).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options.causal' });
  });

  test('a map or a list is no options', async () => {
    const x = { data: new Float32Array(8), shape: [2, 4] };
    for (const options of [new Map([['causal', true]]), [], new Date()] as never[]) {
      const refused = { code: 'INVALID_ARGUMENT', argument: 'options' };
      await expect(there.scaledDotProductAttention(x, x, x, options)).rejects.toMatchObject(refused);
    }
  });

  test('there are enough of them', () => expect(all.length).toBeGreaterThan(100));

  test.each(all)('%s', async (_, call) => {
    let ours: unknown;
    try {
      call(here);
    } catch (error) {
      ours = error;
    }
    const { engine, result } = restricted(there as object);
    call(engine as Attention);
    const theirs = await (result() as Promise<unknown>).then(
      () => 'it was accepted',
      (error: unknown) => error,
    );
    expect(theirs).toBeInstanceOf(AttentionError);
    const parts = ({ code, argument, message, name }: AttentionError) => ({ code, argument, message, name });
    expect(parts(theirs as AttentionError)).toEqual(parts(ours as AttentionError));
  });
});
