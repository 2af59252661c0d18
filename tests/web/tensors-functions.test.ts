import { type Attention, masks, type TensorLike } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { sizeOf } from './oracle/values.ts';
import { type Floats, Random } from './random.ts';
import { bitKinds, countKinds, floatKinds, integerKinds } from './tensor-kinds.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(12);
type Result = { data: ArrayLike<number>; shape: readonly number[] };
type Given = Record<string, TensorLike>;

/** Numbers that half precision holds: k/16, −2 … 2, or 1/16 … 1. */
const floats = (...shape: number[]): Floats => ({
  data: Float32Array.from({ length: sizeOf(shape) }, () => random.integer(-32, 32) / 16),
  shape,
});
const positive = (...shape: number[]): Floats => ({
  data: Float32Array.from({ length: sizeOf(shape) }, () => random.integer(1, 16) / 16),
  shape,
});

/** Functions with all the tensors that each takes. */
const functions: [string, Record<string, Floats>, (e: Attention, x: Given) => Result][] = [
  ['rmsNorm', { x: floats(3, 8), weight: floats(8) }, (e, { x, weight }) => e.rmsNorm(x as TensorLike, weight)],
  ['silu', { x: floats(3, 8) }, (e, { x }) => e.silu(x as TensorLike)],
  ['softplus', { x: floats(3, 8) }, (e, { x }) => e.softplus(x as TensorLike)],
  ['l2Normalize', { x: positive(3, 8) }, (e, { x }) => e.l2Normalize(x as TensorLike)],
  ['multiply', { x: floats(3, 8), y: floats(8) }, (e, { x, y }) => e.multiply(x as TensorLike, y as TensorLike)],
  [
    'concat and slice',
    { x: floats(3, 8), y: floats(3, 2) },
    (e, { x, y }) => e.concat([x, e.slice(y as TensorLike, { axis: 1, start: 1 })] as TensorLike[], { axis: 1 }),
  ],
  [
    'cosineSimilarity',
    { x: positive(3, 8), y: positive(2, 8) },
    (e, { x, y }) => e.cosineSimilarity(x as TensorLike, y as TensorLike),
  ],
  ['topK', { x: floats(3, 8) }, (e, { x }) => e.topK(x as TensorLike, 3).values],
  ['relu', { x: floats(3, 8) }, (e, { x }) => e.relu(x as TensorLike)],
  ['gelu tanh', { x: floats(3, 8) }, (e, { x }) => e.gelu(x as TensorLike, { approximate: 'tanh' })],
  [
    'feedForward',
    {
      x: floats(3, 8),
      up: floats(9, 8),
      down: floats(8, 9),
      gate: floats(9, 8),
      upBias: floats(9),
      downBias: floats(8),
      gateBias: floats(9),
    },
    (e, { x, ...weights }) => e.feedForward(x as TensorLike, weights as never, { activation: 'silu' }),
  ],
  [
    'rotaryEmbedding',
    { x: floats(2, 3, 8), cos: floats(3, 4), sin: floats(3, 4) },
    (e, { x, ...tables }) => e.rotaryEmbedding(x as TensorLike, tables),
  ],
  [
    'linearAttention',
    { q: floats(2, 3, 4), k: floats(2, 5, 4), v: floats(2, 5, 6) },
    (e, { q, k, v }) => e.linearAttention(q as TensorLike, k as TensorLike, v as TensorLike).output,
  ],
  [
    'scaledDotProductAttention',
    {
      q: floats(2, 3, 4),
      k: floats(2, 5, 4),
      v: floats(2, 5, 6),
      mask: floats(3, 5),
      alibi: positive(2),
      sinks: floats(2),
    },
    (e, { q, k, v, ...rules }) =>
      e.scaledDotProductAttention(q as TensorLike, k as TensorLike, v as TensorLike, rules).output,
  ],
  [
    'variableLengthAttention',
    {
      q: floats(3, 2, 4),
      k: floats(5, 2, 4),
      v: floats(5, 2, 6),
      mask: floats(2, 3),
      alibi: positive(2),
      sinks: floats(2),
    },
    (e, { q, k, v, ...rules }) =>
      e.variableLengthAttention(q as TensorLike, k as TensorLike, v as TensorLike, {
        ...rules,
        cuSeqlensQ: [0, 1, 3],
        cuSeqlensKv: [0, 2, 5],
      }).output,
  ],
  [
    'attentionMap',
    {
      q: floats(2, 3, 4),
      k: floats(2, 5, 4),
      mask: floats(3, 5),
      alibi: positive(2),
      sinks: floats(2),
      logSumExp: floats(1, 2, 3),
    },
    (e, { q, k, ...rules }) => e.attentionMap(q as TensorLike, k as TensorLike, { ...rules, size: [2, 2] }),
  ],
  [
    'attentionRollout',
    { first: positive(2, 4, 4), second: positive(2, 4, 4) },
    (e, { first, second }) => e.attentionRollout([first as TensorLike, second as TensorLike]),
  ],
  [
    'multiHeadAttention',
    {
      query: floats(3, 8),
      key: floats(5, 8),
      value: floats(5, 8),
      in_proj_weight: floats(24, 8),
      in_proj_bias: floats(24),
      'out_proj.weight': floats(8, 8),
      'out_proj.bias': floats(8),
    },
    (e, { query, key, value, ...weights }) => {
      using layer = e.multiHeadAttention({ embedDim: 8, numHeads: 2 }, weights);
      return layer.forward(query as TensorLike, key, value).output;
    },
  ],
];

forEachVariant('tensors of every kind', (engine) => {
  describe.each(floatKinds)('%s', (_, kind) => {
    test.each(functions)('in %s, each and all', (_, tensors, call) => {
      const want = call(engine(), tensors);
      expect(Array.from(want.data).every(Number.isFinite)).toBe(true);
      const names = Object.keys(tensors);
      for (const chosen of [...names.map((name) => [name]), names]) {
        const given: Given = { ...tensors };
        for (const name of chosen) given[name] = kind(tensors[name] as Floats, engine());
        // Widening half precision is exact, so the same numbers come out; kernels may take another order for it.
        expectClose(call(engine(), given), want, 4e-6 * (1 + Math.max(...Array.from(want.data, Math.abs))));
        for (const name of chosen) (given[name] as Partial<Disposable>)[Symbol.dispose]?.();
      }
    });
  });

  describe.each(integerKinds)('integers as %s', (_, kind) => {
    const [x, q, k] = [floats(2, 3, 8), floats(2, 2, 3, 4), floats(2, 2, 5, 4)];
    test.each([
      [
        'positions',
        (of: (v: number[]) => ArrayLike<number | bigint>) => engine().rotaryEmbedding(x, { positions: of([5, 0, 9]) }),
      ],
      [
        'queryOffset',
        (of) => engine().scaledDotProductAttention(q, k, k, { causal: true, queryOffset: of([1, -1]) }).output,
      ],
      ['kvLengths', (of) => engine().attentionMap(q, k, { kvLengths: of([2, 4]) })],
      [
        'prefix sums',
        (of) =>
          engine().variableLengthAttention(floats8, floats8, floats8, {
            cuSeqlensQ: of([0, 1, 3]),
            cuSeqlensKv: of([0, 2, 3]),
          }).output,
      ],
      ['keyPadding', (of) => engine().attentionMap(q, k, { mask: masks.keyPadding(of([2, 4])) })],
      ['prefixLM', (of) => engine().attentionMap(q, k, { mask: masks.prefixLM(of([2, 4])) })],
      ['documents', (of) => engine().attentionMap(q, k, { mask: masks.documents(of([1, 1, 7, 7, 1])) })],
      [
        'documents per batch',
        (of) => engine().attentionMap(q, k, { mask: masks.documents([of([1, 1, 7, 7, 1]), of([0, 0, 0, 1, 1])]) }),
      ],
      ['globalTokens', (of) => engine().attentionMap(q, k, { mask: masks.globalTokens(of([3])) })],
    ] as [string, (of: (v: number[]) => ArrayLike<number | bigint>) => Result][])('%s', (_, call) => {
      expectClose(
        call(kind),
        call((values) => values),
        0,
      );
    });
  });
  const floats8 = floats(3, 2, 4);

  describe('bits', () => {
    const [q, k] = [floats(2, 2, 4, 4), floats(2, 2, 6, 4)];
    const keys = [1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1];
    const pairs = Array.from({ length: 24 }, (_, n) => (n % 5 === 0 || n % 3 === 0 ? 1 : 0));
    const same = (options: object, want: object) =>
      expectClose(engine().attentionMap(q, k, options), engine().attentionMap(q, k, want), 0);
    const plain = (bits: number[], shape: number[]) => ({ data: Uint8Array.from(bits), shape, dtype: 'bool' }) as const;
    test.each(countKinds)('keys that attend as %s', (_, kind) => {
      const given = kind(keys, [2, 6], engine());
      const mask = masks.keyPadding(given);
      same({ attentionMask: given }, { attentionMask: plain(keys, [2, 6]) });
      (given as Partial<Disposable>)[Symbol.dispose]?.();
      same({ mask }, { attentionMask: plain(keys, [2, 6]) });
    });
    test.each(countKinds)('blocks as %s', (_, kind) => {
      const given = kind([1, 0, 0, 1, 1, 1], [1, 1, 2, 3], engine());
      const mask = masks.blockSparse(given, 2);
      (given as Partial<Disposable>)[Symbol.dispose]?.();
      const want = [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
      same({ mask }, { mask: plain(want, [4, 6]) });
    });
    test.each(bitKinds)('pairs as %s', (_, kind) => {
      const given = kind(pairs, [4, 6], engine());
      const mask = masks.dense(given);
      same({ mask: given }, { mask: plain(pairs, [4, 6]) });
      (given as Partial<Disposable>)[Symbol.dispose]?.();
      same({ mask }, { mask: plain(pairs, [4, 6]) });
    });
  });

  test('every function with an output takes out, as an array and as a tensor', () => {
    const [x, row, square] = [floats(4, 8), floats(8), floats(8, 8)];
    const cu = { cuSeqlensQ: [0, 4], cuSeqlensKv: [0, 4] };
    const packed = floats(4, 2, 4);
    const [floats2, floats6, x16] = [floats(4, 2), floats(4, 6), floats(4, 16)];
    const calls: [string, number[], (out: never) => object][] = [
      ['rmsNorm', [4, 8], (out) => engine().rmsNorm(x, row, { out })],
      ['silu', [4, 8], (out) => engine().silu(x, { out })],
      ['sigmoid', [4, 8], (out) => engine().sigmoid(x, { out })],
      ['softplus', [4, 8], (out) => engine().softplus(x, { out })],
      ['l2Normalize', [4, 8], (out) => engine().l2Normalize(x, { out })],
      ['multiply', [4, 8], (out) => engine().multiply(x, row, { out })],
      ['concat', [4, 8], (out) => engine().concat([floats2, floats6], { axis: 1, out })],
      ['slice', [4, 8], (out) => engine().slice(x16, { axis: 1, start: -8, out })],
      ['relu', [4, 8], (out) => engine().relu(x, { out })],
      ['gelu tanh', [4, 8], (out) => engine().gelu(x, { approximate: 'tanh', out })],
      ['rotaryEmbedding', [4, 8], (out) => engine().rotaryEmbedding(x, { out })],
      [
        'feedForward',
        [4, 8],
        (out) => engine().feedForward(x, { up: square, down: square, gate: square }, { activation: 'silu', out }),
      ],
      [
        'variableLengthAttention',
        [4, 2, 4],
        (out) => engine().variableLengthAttention(packed, packed, packed, { ...cu, out }).output,
      ],
    ];
    for (const [name, shape, call] of calls) {
      const want = call(undefined as never) as Result;
      const array = new Float32Array(32).fill(NaN);
      expect((call(array as never) as Result).data, name).toBe(array);
      expectClose({ data: array, shape }, want, 0);
      using tensor = engine().zeros(shape);
      expect(call(tensor as never), name).toBe(tensor);
      expectClose(tensor, want, 0);
    }
  });
  test('element-wise layers, norms and rotary may write onto x, and onto nothing else', () => {
    const row = floats(8);
    const calls: [string, (x: never, out?: never) => Result][] = [
      ['rmsNorm', (x, out) => engine().rmsNorm(x, row, { out })],
      ['silu', (x, out) => engine().silu(x, { out })],
      ['softplus', (x, out) => engine().softplus(x, { out })],
      ['l2Normalize', (x, out) => engine().l2Normalize(x, { out })],
      ['multiply', (x, out) => engine().multiply(x, row, { out })],
      ['relu', (x, out) => engine().relu(x, { out })],
      ['gelu tanh', (x, out) => engine().gelu(x, { approximate: 'tanh', out })],
    ];
    for (const [name, call] of calls) {
      const x = floats(4, 8);
      const want = call(x as never);
      using tensor = engine().tensor(x);
      expect(call(tensor as never, tensor as never), name).toBe(tensor);
      expectClose(tensor, want, 0);
      const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'options.out' });
      const memory = new Float32Array(40);
      expect(() => call({ data: memory.subarray(0, 32), shape: [4, 8] } as never, memory.subarray(8) as never)).toThrow(
        refused,
      );
    }
    const [refused, memory] = [expect.objectContaining({ argument: 'options.out' }), new Float32Array(32)];
    const weight = { data: memory.subarray(0, 8), shape: [8] };
    expect(() => engine().rmsNorm(floats(4, 8), weight, { out: memory })).toThrow(refused);
    const cos = { data: memory.subarray(0, 16), shape: [4, 4] };
    expect(() => engine().rotaryEmbedding(floats(4, 8), { cos, sin: cos, out: memory })).toThrow(refused);
    using x = engine().tensor(floats(4, 2, 4));
    expect(() =>
      engine().variableLengthAttention(x, floats8, floats8, {
        cuSeqlensQ: [0, 4],
        cuSeqlensKv: [0, 3],
        out: x as never,
      }),
    ).toThrow(refused);
  });
});
