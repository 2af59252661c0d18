import { AttentionError, createAttention, masks } from 'attention-wasm';
import { expect, test } from 'vitest';
import { tokenTable } from '../../dist/models/tokens.js';
import { expectClose } from './compare.ts';
import { attention } from './oracle/attention.ts';
import { sizeOf } from './oracle/values.ts';
import { Random } from './random.ts';
import { functions, ones, tensor } from './sized-calls.ts';
import { allVariants, forEachVariant } from './variants.ts';
import { workSince } from './work.ts';

/** One axis of 0 lets all others have any size: nothing may run over them, or multiply them past 32 bits. */
const huge = 2 ** 32 - 1;
const sizes = [0, 1, 65536, huge];

function* tuples(length: number): Generator<number[]> {
  for (let n = 0; n < sizes.length ** length; n++)
    yield Array.from({ length }, (_, axis) => sizes[Math.floor(n / sizes.length ** axis) % sizes.length] as number);
}

forEachVariant(
  'axes of nothing beside the largest ones',
  (engine) => {
    const random = new Random(19);
    const x = random.tensor([2, 5, 8]);
    const right = attention(x, x, x, { causal: true }).output;
    const stillRight = () =>
      expectClose(engine().scaledDotProductAttention(x, x, x, { causal: true }).output, right, 1e-5);

    /** Throws unless the call returns or is refused, and either at once; gives back what it was refused with. */
    function atOnce(what: string, call: () => unknown): AttentionError | undefined {
      const began = process.cpuUsage();
      let error: unknown;
      try {
        call();
      } catch (thrown) {
        error = thrown;
      }
      const work = workSince(began);
      if (error !== undefined && !(error instanceof AttentionError)) throw new Error(`${what} threw ${error}`);
      if (!(work < 10_000)) throw new Error(`${what} took ${work.toFixed()} ms of work`);
      return error as AttentionError | undefined;
    }

    test.each(functions)('%s', (name, axes, sized) => {
      let returned = 0;
      for (const tuple of tuples(axes)) {
        const { inputs, results, work, run } = sized(...tuple);
        if (inputs.some((shape) => !shape.every(Number.isInteger) || sizeOf(shape) > ones.length)) continue;
        const largest = Math.max(...results.map(sizeOf));
        if (largest > 0 && largest <= 2 ** 30 && work > 2 ** 17) continue; // right, and long
        const error = atOnce(`${name} of ${JSON.stringify(inputs)}`, () => run(engine(), inputs.map(tensor)));
        if (largest > 2 ** 30)
          expect(error?.code, `${tuple}`).toMatch(/^(OUT_OF_MEMORY|INVALID_ARGUMENT|SHAPE_MISMATCH)$/);
        if (!error) returned++;
      }
      expect(returned).toBeGreaterThan(0);
      stillRight();
    });

    test('an output as wide as all heads together, past 32 bits', () => {
      const [row, one, column] = [tensor([1, 65536]), tensor([1, 1]), tensor([65536, 1])];
      const heads = { numHeads: 65536, numKvHeads: 1 };
      const calls: [string, () => unknown][] = [
        ['scaledDotProductAttention', () => engine().scaledDotProductAttention(row, one, row, heads)],
        ['selfAttention', () => engine().selfAttention(one, { query: column, key: one, value: column }, heads)],
        ['linearAttention', () => engine().linearAttention(row, one, row, heads)],
      ];
      for (const [name, call] of calls) {
        expect([name, atOnce(name, call)?.code]).toEqual([name, 'OUT_OF_MEMORY']);
        stillRight();
      }
    });

    test('tokens and masks of millions of entries, with nothing in them', () => {
      const nothing = (entries: number) => ({ data: new Int32Array(0), shape: [entries, 0] });
      for (const entries of [2 ** 27, huge]) atOnce('a mask', () => masks.keyPadding(nothing(entries)));
      expect(atOnce('tokens', () => tokenTable('input', nothing(huge) as never))?.argument).toBe('input');
      const ragged = [new Int32Array(70_000), ...Array.from({ length: 69_999 }, () => [1])];
      expect(atOnce('tokens', () => tokenTable('input', ragged as never))?.code).toBe('OUT_OF_MEMORY');
      stillRight();
    });
  },
  allVariants,
);

test('sizes in bytes that pass 4 GiB', async () => {
  const engine = await createAttention({ variant: 'simd' });
  const n = 23_171; // squared just past 2^29 cells, of 8 bytes each
  const line = { data: new Float32Array(n).fill(1), shape: [n, 1] };
  const outOfMemory = expect.objectContaining({ code: 'OUT_OF_MEMORY' });
  expect(() => engine.attentionMap(line, line, { size: [n, n] })).toThrow(outOfMemory);

  // Entries of a batch that share all pages but the newest hold little, and would be saved as much.
  const cache = engine.kvCache({ batch: 256, numKvHeads: 1, headDim: 256, capacity: 8320 });
  const x = { data: new Float32Array(256 * 128 * 256), shape: [256, 1, 128, 256] };
  while (cache.length < 8320) {
    cache.append(x, x);
    cache.reorder(new Int32Array(256));
  }
  const rows = 2 * 256 * 8320 * 256 * 4;
  expect(cache.byteLength).toBeGreaterThanOrEqual(rows);
  expect(() => cache.toBytes()).toThrow(outOfMemory);
  cache.truncate(1);
  expect(cache.toBytes().length).toBeGreaterThan(2 * 256 * 256 * 4);
  engine.dispose();
});
