import { type Attention, masks } from 'attention-wasm';
import { sizeOf } from './oracle/values.ts';
import type { Plain } from './random.ts';

/** What a call reads and gives, and how many steps it may take for that: none where an axis leaves nothing to do. */
interface Sized {
  inputs: number[][];
  results: number[][];
  work: number;
  run: (engine: Attention, inputs: Plain[]) => unknown;
}
type Function = [name: string, axes: number, sized: (...sizes: number[]) => Sized];
const any = (value: unknown) => value as never;

export const ones = new Float32Array(65536).fill(1);
export const tensor = (shape: number[]): Plain => ({ data: ones.subarray(0, sizeOf(shape)), shape });

const attentions = (options: object, more: (B: number, H: number, Sq: number, Skv: number) => number[][] = () => []) =>
  [
    [
      `BHSD ${Object.keys(options)}`,
      6,
      (B = 0, H = 0, Sq = 0, Skv = 0, D = 0, Dv = 0) => ({
        inputs: [
          [B, H, Sq, D],
          [B, H, Skv, D],
          [B, H, Skv, Dv],
        ],
        results: [[B, H, Sq, Dv], ...more(B, H, Sq, Skv)],
        work: B * H * Sq * Skv * Math.max(1, D + Dv),
        run: (e, [q, k, v]) => e.scaledDotProductAttention(any(q), any(k), any(v), any(options)),
      }),
    ],
    [
      `packed ${Object.keys(options)}`,
      5,
      (Sq = 0, Skv = 0, W = 0, Wv = 0, H = 0) => ({
        inputs: [
          [Sq, W],
          [Skv, H ? W / H : 0],
          [Skv, Wv],
        ],
        results: [[Sq, H * Wv], ...more(1, H, Sq, Skv)],
        work: H * Sq * Skv * Math.max(1, W + Wv),
        run: (e, [q, k, v]) =>
          e.scaledDotProductAttention(any(q), any(k), any(v), any({ numHeads: H, numKvHeads: 1, ...options })),
      }),
    ],
  ] satisfies Function[];

export const functions: Function[] = [
  ...attentions({}),
  ...attentions({ causal: true, window: [1, 1], alibi: true, softcap: 2 }),
  ...attentions({ layout: 'BHSD', mask: masks.causal().and(masks.slidingWindow(3, 0)) }),
  ...attentions({ weights: true }, (...pairs) => [pairs]),
  ...attentions({ logSumExp: true }, (B, H, Sq) => [[B, H, Sq]]),
  [
    'variableLengthAttention',
    5,
    (Sq = 0, Skv = 0, H = 0, D = 0, Dv = 0) => ({
      inputs: [
        [Sq, H, D],
        [Skv, H, D],
        [Skv, H, Dv],
      ],
      results: [[Sq, H, Dv]],
      work: H * Sq * Skv * Math.max(1, D + Dv),
      run: (e, [q, k, v]) =>
        e.variableLengthAttention(any(q), any(k), any(v), { cuSeqlensQ: [0, Sq], cuSeqlensKv: [0, Skv] }),
    }),
  ],
  [
    'linearAttention',
    6,
    (B = 0, H = 0, Sq = 0, Skv = 0, D = 0, Dv = 0) => ({
      inputs: [
        [B, H, Sq, D],
        [B, H, Skv, D],
        [B, H, Skv, Dv],
      ],
      results: [[B, H, Sq, Dv]],
      work: B * H * (Sq + Skv) * Math.max(1, D * Dv),
      run: (e, [q, k, v]) => e.linearAttention(any(q), any(k), any(v)),
    }),
  ],
  [
    'attentionMap',
    5,
    (B = 0, H = 0, Sq = 0, Skv = 0, D = 0) => ({
      inputs: [
        [B, H, Sq, D],
        [B, H, Skv, D],
      ],
      results: [[B, H, Math.min(Sq, 256), Math.min(Skv, 256)]],
      work: B * H * Sq * Skv * Math.max(1, D),
      run: (e, [q, k]) => e.attentionMap(any(q), any(k)),
    }),
  ],
  [
    'selfAttention',
    5,
    (B = 0, S = 0, E = 0, P = 0, V = 0) => ({
      inputs: [
        [B, S, E],
        [P, E],
        [V, E],
      ],
      results: [[B, S, V]],
      work: B * S * (S + E) * Math.max(1, P + V),
      run: (e, [x, query, value]) => e.selfAttention(any(x), any({ query, key: query, value })),
    }),
  ],
  [
    'crossAttention',
    5,
    (Sq = 0, Skv = 0, E = 0, P = 0, V = 0) => ({
      inputs: [
        [Sq, E],
        [Skv, E],
        [P, E],
        [V, E],
      ],
      results: [[Sq, V]],
      work: (Sq * Skv + (Sq + Skv) * E) * Math.max(1, P + V),
      run: (e, [x, context, query, value]) => e.crossAttention(any(x), any(context), any({ query, key: query, value })),
    }),
  ],
  [
    'multiHeadAttention',
    3,
    (B = 0, S = 0, E = 0) => ({
      inputs: [
        [B, S, E],
        [3 * E, E],
        [E, E],
      ],
      results: [[B, S, E]],
      work: B * S * (S + E) * E,
      run: (e, [x, projections, output]) => {
        const weights = { in_proj_weight: projections, 'out_proj.weight': output };
        using layer = e.multiHeadAttention({ embedDim: E, numHeads: 1 }, any(weights));
        return layer.forward(any(x));
      },
    }),
  ],
  [
    'linear',
    4,
    (a = 0, b = 0, E = 0, F = 0) => ({
      inputs: [
        [a, b, E],
        [F, E],
      ],
      results: [[a, b, F]],
      work: a * b * Math.max(1, E) * F,
      run: (e, [x, weight]) => e.linear(any(x), any(weight)),
    }),
  ],
  [
    'feedForward',
    4,
    (a = 0, b = 0, E = 0, F = 0) => ({
      inputs: [
        [a, b, E],
        [F, E],
        [E, F],
      ],
      results: [[a, b, E]],
      work: a * b * E * F,
      run: (e, [x, up, down]) => e.feedForward(any(x), any({ up, down })),
    }),
  ],
  ...(['softmax', 'layerNorm', 'rmsNorm', 'l2Normalize', 'gelu', 'silu', 'relu', 'tanh', 'softplus'] as const).map(
    (name): Function => [
      name,
      4,
      (...shape) => ({
        inputs: [shape],
        results: [shape],
        work: sizeOf(shape),
        run: (e, [x]) => (e[name] as (x: Plain) => unknown)(x as Plain),
      }),
    ],
  ),
  ...(['add', 'multiply'] as const).map(
    (name): Function => [
      name,
      4,
      (...shape) => ({
        inputs: [shape, shape.map(() => 1)],
        results: [shape],
        work: sizeOf(shape),
        run: (e, [x, y]) => e[name](any(x), any(y)),
      }),
    ],
  ),
  [
    'concat and slice',
    3,
    (a = 0, b = 0, c = 0) => ({
      inputs: [[a, b, c]],
      results: [[a, 2 * b, c]],
      work: 2 * a * b * c,
      run: (e, [x]) => e.slice(e.concat([any(x), any(x)], { axis: 1 }), { axis: 1, start: 0 }),
    }),
  ],
  [
    'cosineSimilarity',
    3,
    (a = 0, b = 0, E = 0) => ({
      inputs: [
        [a, E],
        [b, E],
      ],
      results: [[a, b]],
      work: a * b * Math.max(1, E),
      run: (e, [x, y]) => e.cosineSimilarity(any(x), any(y)),
    }),
  ],
  [
    'softmax and norms over any axis',
    4,
    (...shape) => ({
      inputs: [shape],
      results: [shape],
      work: sizeOf(shape),
      run: (e, [x]) =>
        [0, 1, 2].map((axis) => [
          e.softmax(any(x), { axis }),
          e.layerNorm(any(x), null, null, { axis }),
          e.rmsNorm(any(x), null, { axis }),
        ]),
    }),
  ],
  [
    'add',
    4,
    (a = 0, b = 0, c = 0, d = 0) => ({
      inputs: [
        [a, 1, c, 1],
        [b, c, d],
      ],
      results: [[a, b, c, d]],
      work: a * b * c * d,
      run: (e, [x, y]) => e.add(any(x), any(y)),
    }),
  ],
  [
    'embedding',
    3,
    (S = 0, V = 0, E = 0) => ({
      inputs: [
        [S, 0],
        [V, E],
      ],
      results: [[S, 0, E]],
      work: 0,
      run: (e, [, table]) => e.embedding({ data: new Int32Array(0), shape: [S, 0] }, any(table)),
    }),
  ],
  [
    'rotaryEmbedding',
    4,
    (...shape) => ({
      inputs: [shape],
      results: [shape],
      work: sizeOf(shape),
      run: (e, [x]) => e.rotaryEmbedding(any(x)),
    }),
  ],
  [
    'attentionRollout',
    3,
    (B = 0, H = 0, S = 0) => ({
      inputs: [[B, H, S, S]],
      results: [[B, S, S]],
      work: B * S ** 3 + B * H * S * S,
      run: (e, [A]) => e.attentionRollout([any(A), any(A)]),
    }),
  ],
  [
    'sinusoidalPositions',
    2,
    (length = 0, size = 0) => ({
      inputs: [],
      results: [[length, size]],
      work: length * size,
      run: (e) => e.sinusoidalPositions(length, size),
    }),
  ],
  [
    'tensor',
    4,
    (...shape) => ({
      inputs: [shape],
      results: [shape],
      work: sizeOf(shape),
      run: (e, [x]) => e.tensor(any(x)).dispose(),
    }),
  ],
];
