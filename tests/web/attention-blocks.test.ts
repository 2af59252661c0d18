import { type Mask, masks } from 'attention-wasm';
import { describe, test } from 'vitest';
import { exactly, expectAttention, type Inputs, type Options } from './against-oracle.ts';
import * as rules from './oracle/masks.ts';
import { type Plain, Random } from './random.ts';
import { forEachVariant } from './variants.ts';

const random = new Random(12);
const bools = (shape: number[], value: (index: number) => boolean): Plain => ({
  data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, n) => Number(value(n))),
  shape,
  dtype: 'bool',
});
const table = (rows: number, columns: number, attends: (row: number, column: number) => boolean): Plain =>
  bools([1, 1, rows, columns], (n) => attends(Math.floor(n / columns), n % columns));

/** Rules over positions 0 .. 699 whose edges lie on, beside and across the edges of blocks of 64, 96 and 128. */
function rulesAtEdges(): [string, Mask, rules.Rule][] {
  const blocks = (size: number, attends: (row: number, column: number) => boolean) => {
    const count = Math.ceil(700 / size);
    return table(count, count, attends);
  };
  const ofBlocks = (name: string, size: number, attends: (row: number, column: number) => boolean) => {
    const given = blocks(size, attends);
    return [`${name} of ${size}`, masks.blockSparse(given, size), rules.blockSparse(given, size)] as [
      string,
      Mask,
      rules.Rule,
    ];
  };
  const ids = (size: number) => Array.from({ length: 700 }, (_, p) => Math.floor(p / size));
  const window = (left: number, right: number) =>
    [`slidingWindow(${left}, ${right})`, masks.slidingWindow(left, right), rules.slidingWindow(left, right)] as [
      string,
      Mask,
      rules.Rule,
    ];
  const steps = (n: number, step: number) =>
    [`dilated(${n}, ${step})`, masks.dilated(n, step), rules.dilated(n, step)] as [string, Mask, rules.Rule];
  const bigBird = { blockSize: 64, window: 3, globalBlocks: 1, randomBlocks: 0 };
  return [
    ...[64, 63, 65, 128, 32].flatMap((size) => [
      ofBlocks('diagonal blocks', size, (r, c) => r === c),
      ofBlocks('blocks beside the diagonal', size, (r, c) => c === r + 1 || c === r - 2),
      ofBlocks('a chessboard', size, (r, c) => (r + c) % 2 === 0),
      ofBlocks('every third row of blocks', size, (r) => r % 3 === 1),
    ]),
    ...[64, 63, 100, 128].map(
      (size) =>
        [`documents of ${size}`, masks.documents(ids(size)), rules.documents(ids(size))] as [string, Mask, rules.Rule],
    ),
    ...(
      [
        [63, 0],
        [64, 0],
        [0, 64],
        [127, 1],
        [128, 128],
        [0, 0],
      ] as const
    ).map(([left, right]) => window(left, right)),
    ...(
      [
        [3, 64],
        [1, 127],
        [9, 63],
        [2, 100],
        [5, 33],
        [1, 1],
      ] as const
    ).map(([n, step]) => steps(n, step)),
    ['prefixLM(64)', masks.prefixLM(64), rules.prefixLM(64)],
    ['prefixLM(129)', masks.prefixLM(129), rules.prefixLM(129)],
    ['keyPadding(128)', masks.keyPadding([128]), rules.keyLengths([128])],
    ['causal', masks.causal(), rules.causal],
    ['not causal', masks.causal().not(), rules.not(rules.causal)],
    ['globalTokens', masks.globalTokens([0, 63, 64, 191]), rules.globalTokens([0, 63, 64, 191])],
    ['bigBird', masks.bigBird(bigBird), rules.bigBirdFixed(bigBird)],
    [
      'the corners of blocks',
      masks.fromFunction((_b, _h, p, j) => p % 64 > 61 && j % 64 < 2),
      ({ p, j }) => p % 64 > 61 && j % 64 < 2,
    ],
    [
      'all but one pair',
      masks.fromFunction((_b, _h, p, j) => p !== 130 || j !== 66),
      ({ p, j }) => p !== 130 || j !== 66,
    ],
  ];
}

/** 64×64 pairs are a block of a rule, 128 keys a block of the kernel, and up to 96 queries run together. */
forEachVariant('blocks', (engine) => {
  const sizes: [Sq: number, Skv: number, queryOffset: number][] = [
    [200, 300, 0],
    [129, 193, 64],
    [97, 65, 31],
    [1, 400, 192],
    [64, 128, 0],
  ];
  const inputs = (Sq: number, Skv: number): Inputs => [
    random.tensor([Sq, 4]),
    random.tensor([Skv, 4]),
    random.tensor([Skv, 4]),
  ];
  const expectBoth = (given: Inputs, options: Options) => {
    const exact = exactly(given, options);
    expectAttention(engine(), given, options, { logSumExp: true }, exact);
    expectAttention(engine(), given, options, { weights: 'biased' }, exact);
  };

  describe.each(sizes)('%i queries, %i keys, from %i on', (Sq, Skv, queryOffset) => {
    test.each(rulesAtEdges())('%s', (_, mask, rule) => expectBoth(inputs(Sq, Skv), { mask, rule, queryOffset }));
    test.each(rulesAtEdges())('%s, beside other rules', (_, mask, rule) => {
      const window = [150, 70] as const;
      const sinks = random.tensor([1]);
      expectAttention(engine(), inputs(Sq, Skv), {
        mask,
        rule,
        queryOffset,
        window,
        sinks,
        kvLengths: [Skv - 1],
        alibi: true,
      });
    });
  });
});
