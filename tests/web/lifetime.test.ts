import { type Attention, AttentionError, createAttention, masks } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { attention } from './oracle/attention.ts';
import * as layers from './oracle/layers.ts';
import { Random } from './random.ts';
import { allVariants, forEachVariant, hasThreads, load } from './variants.ts';

const random = new Random(9);
const disposed = expect.objectContaining({ code: 'DISPOSED' });

forEachVariant(
  'lifetime',
  (engine, variant) => {
    const withEngine = async (use: (own: Attention) => void) => {
      const own = await createAttention(load(variant));
      use(own);
      own.dispose();
    };

    describe('a tensor', () => {
      test('may be disposed twice, and says DISPOSED afterwards', () => {
        const x = engine().tensor(random.tensor([3, 4]));
        x.dispose();
        x.dispose();
        expect(() => x.data).toThrow(disposed);
        expect(() => engine().softmax(x)).toThrow(expect.objectContaining({ code: 'DISPOSED', argument: 'x' }));
        expect(() => engine().softmax(random.tensor([3, 4]), { out: x })).toThrow(
          expect.objectContaining({ code: 'DISPOSED', argument: 'options.out' }),
        );
        expect([x.shape, x.dtype]).toEqual([[3, 4], 'float32']);
      });
      test('goes with `using`', () => {
        let kept = engine().zeros([1]);
        {
          using x = engine().zeros([2]);
          kept = x;
          expect(x.data.length).toBe(2);
        }
        expect(() => kept.data).toThrow(disposed);
      });
      test('gives its memory back', () => {
        const held = () => engine().info.memoryBytes;
        for (let n = 0; n < 5; n++)
          engine()
            .zeros([1 << 20])
            .dispose();
        const settled = held();
        for (let n = 0; n < 200; n++)
          engine()
            .zeros([1 << 20])
            .dispose();
        expect(held()).toBe(settled);
      });
      test('shows the same numbers after memory has grown', () =>
        withEngine((own) => {
          const x = own.tensor(random.tensor([100]));
          const values = Array.from(x.data);
          const view = x.data;
          const bytes = own.info.memoryBytes;
          const large = own.zeros([(bytes + (64 << 20)) / 4]);
          expect(own.info.memoryBytes).toBeGreaterThan(bytes);
          expect(view.length, 'memory has grown, which detaches a view unless it is shared').toBe(
            hasThreads(variant) ? 100 : 0,
          );
          expect(Array.from(x.data)).toEqual(values);
          x.data[0] = 42;
          large.dispose();
          expect(Array.from(own.add(x, { data: Float32Array.of(0), shape: [1] }).data)).toEqual([
            42,
            ...values.slice(1),
          ]);
        }));
      test('is read in place also when the call itself makes memory grow', () =>
        withEngine((own) => {
          const x = own.tensor(random.tensor([4, 8]));
          const want = layers.softmax({ data: x.data.slice(), shape: x.shape });
          const rows = Math.ceil(own.info.memoryBytes / 32);
          const out = own.zeros([4, 8]);
          own.softmax(random.tensor([rows, 8]));
          expectClose(own.softmax(x), want, 1e-6);
          expectClose(own.softmax(x, { out }), want, 1e-6);
        }));
      test('may be passed on by its view, which is read before memory grows', () =>
        withEngine((own) => {
          const x = own.tensor(random.tensor([100, 8]));
          const want = layers.softmax({ data: x.data.slice(), shape: [100, 8] });
          const rows = Math.ceil(own.info.memoryBytes / 32);
          const wide = { data: new Float32Array(rows * 8), shape: [rows, 8] };
          expectClose(own.softmax({ data: x.data, shape: [100, 8] }), want, 1e-6);
          const sum = own.add({ data: x.data.subarray(0, 8), shape: [8] }, { data: new Float32Array(8), shape: [8] });
          expect(Array.from(sum.data)).toEqual(Array.from(x.data.subarray(0, 8)));
          const table = own.add(wide, { data: x.data.subarray(0, 8), shape: [8] });
          expect(Array.from(table.data.subarray(8, 16))).toEqual(Array.from(x.data.subarray(0, 8)));
        }));
      test('may be passed on by its view beside a mask rule, which may make memory grow while it is asked', () =>
        withEngine((own) => {
          const [x, sinks] = [own.tensor(random.tensor([5, 8])), own.tensor(random.tensor([1]))];
          const [values, logits] = [x.data.slice(), sinks.data.slice()];
          const causal = { data: values, shape: [5, 8] };
          const want = attention(causal, causal, causal, { causal: true, sinks: { data: logits, shape: [1] } });
          const mask = masks.fromFunction((_b, _h, query, key) => {
            if (query === 0 && key === 0) own.zeros([own.info.memoryBytes / 4]).dispose();
            return key <= query;
          });
          const view = { data: x.data, shape: [5, 8] };
          const options = { mask, sinks: { data: sinks.data, shape: [1] } };
          expectClose(own.scaledDotProductAttention(view, view, view, options).output, want.output, 1e-5);
          expect(view.data.length, 'memory has grown').toBe(hasThreads(variant) ? 40 : 0);
        }));
      test('is read and written in place: no memory beside it', () =>
        withEngine((own) => {
          const [x, out] = [own.zeros([1024, 4096]), own.zeros([1024, 4096])];
          own.softmax(own.zeros([1, 4096]), { out: own.zeros([1, 4096]) });
          const bytes = own.info.memoryBytes;
          own.softmax(x, { out });
          own.gelu(out, { out });
          own.add(x, out, { out: x });
          expect(own.info.memoryBytes).toBe(bytes);
        }));
      test('of another engine is refused', () =>
        withEngine((own) => {
          const x = own.tensor(random.tensor([2, 4]));
          const foreign = (argument: string) => expect.objectContaining({ code: 'INVALID_ARGUMENT', argument });
          expect(() => engine().softmax(x)).toThrow(foreign('x'));
          expect(() => engine().scaledDotProductAttention(random.tensor([2, 4]), x, random.tensor([2, 4]))).toThrow(
            foreign('k'),
          );
          expect(() => engine().softmax(random.tensor([2, 4]), { out: x })).toThrow(foreign('options.out'));
          expect(() => engine().scaledDotProductAttention(x, x, x)).toThrow(foreign('q'));
        }));
    });

    describe('an engine', () => {
      test('may be disposed twice, and takes its tensors along', async () => {
        const own = await createAttention(load(variant));
        const x = own.tensor(random.tensor([2, 4]));
        own.dispose();
        own.dispose();
        const calls: [string, () => unknown][] = [
          ['softmax', () => own.softmax(random.tensor([2, 4]))],
          ['tensor', () => own.tensor(random.tensor([2, 4]))],
          ['zeros', () => own.zeros([2])],
          ['scaledDotProductAttention', () => own.scaledDotProductAttention(x, x, x)],
          ['sinusoidalPositions', () => own.sinusoidalPositions(2, 4)],
          ['data', () => x.data],
        ];
        for (const [name, call] of calls) expect(call, name).toThrow(disposed);
        x.dispose();
      });
      test('is independent of the others', async () => {
        const [one, other] = await Promise.all([createAttention(load(variant)), createAttention(load(variant))]);
        const x = other.tensor(random.tensor([2, 4]));
        const values = Array.from(x.data);
        one.zeros([1 << 22]);
        one.dispose();
        expect(Array.from(x.data)).toEqual(values);
        other.dispose();
      });
      test('goes with `using`', async () => {
        let kept: Attention;
        {
          using own = await createAttention(load(variant));
          kept = own;
          expect(own.softmax(random.tensor([3])).shape).toEqual([3]);
        }
        expect(() => kept.softmax(random.tensor([3]))).toThrow(AttentionError);
      });
      test('keeps no memory of its calls', () => {
        const calls = () => {
          const x = random.tensor([2, 64, 32]);
          const { output } = engine().scaledDotProductAttention(x, x, x, {
            weights: true,
            causal: true,
            mask: random.tensor([64, 64]),
          });
          engine().linear(output, random.tensor([96, 32]), random.tensor([96]));
          engine().layerNorm(output);
          try {
            engine().scaledDotProductAttention(x, random.tensor([2, 64, 31]), x);
          } catch (error) {
            if (!(error instanceof AttentionError)) throw error;
          }
        };
        for (let n = 0; n < 5; n++) calls();
        const bytes = engine().info.memoryBytes;
        for (let n = 0; n < 300; n++) calls();
        expect(engine().info.memoryBytes).toBe(bytes);
      });
    });
  },
  allVariants,
);
