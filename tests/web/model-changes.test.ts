import { type Attention, masks } from 'attention-wasm';
import { createModel, type Model } from 'attention-wasm/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { decoders, encoder } from './families.ts';
import { entry, expectTrace, near } from './model-compare.ts';
import { embed } from './oracle/bert.ts';
import * as rules from './oracle/masks.ts';
import { type Hooks, rowsOf } from './oracle/model.ts';
import { vit } from './oracle/vit.ts';
import { Random } from './random.ts';
import { rejection } from './refusals.ts';
import * as ofVit from './synthetic-vit.ts';
import { forEachVariant } from './variants.ts';

const ids = [3, 0, 28, 7, 7, 14, 1, 22, 9];
const S = ids.length;
const everything = { attention: true, hiddenStates: true, projections: true } as const;
const random = new Random(12);

/** Attends to itself, and to others by chance. */
const bits = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Uint8Array.from({ length: size }, (_, n) =>
    Math.floor(n / S) % S === n % S || random.chance(0.6) ? 1 : 0,
  );
  return { data, shape, dtype: 'bool' as const };
};
const floats = { data: random.floats(S * S, 2), shape: [S, S] };
floats.data[5] = -Infinity;
const [one, two, three] = [bits(S, S), bits(S, S), bits(S, S)];

const of = (mask: object): Hooks => ({ mask: () => mask as never });
/** What a mask in the package's words means in the oracle's. */
const asked: [what: string, option: unknown, hooks: Hooks][] = [
  ['a rule', masks.slidingWindow(2, 1), of({ rule: rules.slidingWindow(2, 1) })],
  [
    'rules put together',
    masks.dilated(3, 2).or(masks.globalTokens([1])),
    of({ rule: rules.or(rules.dilated(3, 2), rules.globalTokens([1])) }),
  ],
  ['a dense mask', one, of({ mask: one })],
  ['numbers that are added', floats, of({ mask: floats })],
  ['one for each layer', [one, two, three], { mask: (layer) => ({ mask: [one, two, three][layer] as never }) }],
  [
    'one for some layers, rules and tensors',
    [null, masks.slidingWindow(1, 0), two],
    { mask: (layer) => (layer === 0 ? {} : layer === 1 ? { rule: rules.slidingWindow(1, 0) } : { mask: two }) },
  ],
  ['none for any layer', [null, null, null], {}],
];

forEachVariant('what a caller changes in a model', (engine: () => Attention) => {
  describe.each([encoder, ...decoders])('$name', (family) => {
    const { heads, layers, embedSize: E } = family;
    let model: Model;
    beforeAll(() => {
      model = createModel(engine(), { config: family.config, tensors: family.tensors });
    });
    afterAll(() => model?.dispose());

    test('a mask is read when the call is made', async () => {
      const mask = { ...one, data: one.data.slice() };
      const ids = Array.from({ length: S }, (_, n) => n);
      const called = model.forward(ids, { mask });
      mask.data.fill(0);
      const { lastHiddenState } = await model.forward(ids, { mask: one });
      expect((await called).lastHiddenState.data).toEqual(lastHiddenState.data);
    });
    const same = async (options: object, hooks: Hooks) =>
      expectTrace(await model.forward(ids, { ...everything, ...options }), family.exact(ids, hooks));

    describe('mask', () => {
      test.each(asked)('%s', (_, mask, hooks) => same({ mask }, hooks));
      test('one for each head', () => {
        const mask = bits(heads, S, S);
        return same({ mask }, of({ mask }));
      });
      test('beside attentionMask', async () => {
        const attends = [0, 0, 1, 1, 1, 1, 1, 1, 1];
        const got = await model.forward(ids, { ...everything, mask: one, attentionMask: attends });
        const exact = family.exact(ids, { ...of({ mask: one }), attends });
        // What is not attended to itself has no meaning.
        const [last, wanted] = [entry(got.lastHiddenState, 0), exact.lastHiddenState];
        const seen = { data: last.data.subarray(2 * E), shape: [S - 2, E] };
        expectClose(seen, rowsOf(wanted, 2, S), near(wanted));
      });
      test('in a batch: for every row', async () => {
        const other = ids.map((id) => 28 - id);
        const got = await model.forward([ids, other], { mask: masks.slidingWindow(2, 1) });
        for (const [b, row] of [ids, other].entries()) {
          const { lastHiddenState: want } = family.exact(row, of({ rule: rules.slidingWindow(2, 1) }));
          expectClose(entry(got.lastHiddenState, b), want, near(want));
        }
      });
      test.each([
        ['of too few layers', [null, null], 'SHAPE_MISMATCH'],
        ['of too many', [null, null, null, null], 'SHAPE_MISMATCH'],
        ['that is text', 'causal', 'INVALID_ARGUMENT'],
      ])('refused: %s', async (_, mask, code) => {
        const error = await rejection(model.forward(ids, { mask } as never));
        expect(error.code).toBe(code);
        expect(error.argument).toMatch(/^options\.mask/);
      });
      test('refused: of another length', async () => {
        const mask = { data: new Uint8Array(49), shape: [7, 7], dtype: 'bool' };
        const error = await rejection(model.forward(ids, { mask } as never));
        expect(error.code).toBe('SHAPE_MISMATCH');
        expect(error.argument).toMatch(/^options\.mask/);
      });
    });

    describe('ablateHeads', () => {
      test.each([
        ['none', []],
        ['one', [[1, 2]]],
        [
          'some of several layers',
          [
            [0, 0],
            [2, 1],
            [2, 2],
          ],
        ],
        [
          'one twice',
          [
            [1, 0],
            [1, 0],
          ],
        ],
        ['all of a layer', Array.from({ length: heads }, (_, head) => [1, head])],
      ] as [string, [number, number][]][])('%s', (_, ablate) => same({ ablateHeads: ablate }, { ablate }));
      test('beside a mask and a temperature', () =>
        same(
          { ablateHeads: [[0, 1]], mask: one, attentionTemperature: 1.5 },
          { ablate: [[0, 1]], ...of({ mask: one }), temperature: 1.5 },
        ));
      test.each([
        ['a layer that is not there', [[layers, 0]]],
        ['a head that is not there', [[0, heads]]],
        ['a negative head', [[0, -1]]],
        ['a head alone', [1]],
        ['three numbers', [[0, 1, 2]]],
        ['a number', 3],
      ])('refused: %s', async (_, ablateHeads) => {
        const error = await rejection(model.forward(ids, { ablateHeads } as never));
        expect(error.code).toBe('INVALID_ARGUMENT');
        expect(error.argument).toMatch(/^options\.ablateHeads/);
      });
      test('of embed too', async () => {
        const options = { ablateHeads: [[1, 1]] as [number, number][], attentionTemperature: 2, mask: one };
        const { lastHiddenState } = family.exact(ids, { ablate: [[1, 1]], temperature: 2, ...of({ mask: one }) });
        const whole = ids.map(() => 1);
        const want = { data: embed(lastHiddenState, whole), shape: [1, E] };
        expectClose(await model.embed(ids, options), want, 2e-5);
      });
    });

    describe('attentionTemperature', () => {
      test.each([0.25, 1, 3.5, 1000])('%f', (temperature) =>
        same({ attentionTemperature: temperature }, { temperature }),
      );
      test('divides scores and not what a mask adds', () =>
        same({ attentionTemperature: 2, mask: floats }, { temperature: 2, ...of({ mask: floats }) }));
      test.each([0, -1, NaN, Infinity, '1', null])('refused: %s', async (attentionTemperature) => {
        const error = await rejection(model.forward(ids, { attentionTemperature } as never));
        expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'options.attentionTemperature']);
      });
    });
  });

  test('a ViT takes them too', async () => {
    const all = ofVit.weights();
    const model = createModel(engine(), { config: ofVit.config, tensors: all });
    const image = ofVit.picture(4);
    const got = await model.forward(image, {
      ...everything,
      ablateHeads: [[1, 2]],
      attentionTemperature: 1.5,
      mask: [null, masks.slidingWindow(4, 3), null],
    });
    const alone = { data: image.data, shape: [3, 12, 12] };
    const mask = (layer: number) => (layer === 1 ? { rule: rules.slidingWindow(4, 3) } : {});
    expectTrace(got, vit(ofVit.config, all, alone, { ablate: [[1, 2]], temperature: 1.5, mask }));
    model.dispose();
  });
});
