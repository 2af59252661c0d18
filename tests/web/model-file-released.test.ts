import { setTimeout } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { type Attention, createAttention, masks } from 'attention-wasm';
import { createModel, readSafetensors } from 'attention-wasm/models';
import { createAttentionWorker } from 'attention-wasm/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineOf } from '../../dist/attention.js';
import * as create from '../../dist/load/create.js';
import { prepareModel } from '../../dist/models/create.js';
import { Host } from '../../dist/worker/host.js';
import { PartedEngine } from '../../dist/worker/parted-engine.js';
import { decoders, encoder } from './families.ts';
import { type Floats, Random } from './random.ts';
import { bytesOf, safetensors } from './safetensors-file.ts';
import * as ofMarian from './synthetic-marian.ts';
import * as ofVit from './synthetic-vit.ts';

// Internal: not in its types.
const { createOver } = create as unknown as { createOver(of: unknown, options: object): Promise<Attention> };

v8.setFlagsFromString('--expose-gc');
const collect: () => void = vm.runInNewContext('gc');

/** Whether nothing holds it any more, though whoever made it is still there. */
async function isCollected(held: WeakRef<object>): Promise<boolean> {
  for (let turn = 0; turn < 20 && held.deref(); turn++) {
    await setTimeout(5);
    collect();
  }
  return held.deref() === undefined;
}

/** A file whose data is aligned, so that tensors are views of it. */
function inFile(all: Record<string, unknown>, dtype: 'F32' | 'BF16' = 'F32'): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(all as Record<string, Floats>).map(([name, { data, shape }]) => {
    const halves = () => Uint16Array.from(new Uint32Array(data.slice().buffer), (bits) => bits >>> 16);
    return [name, { dtype, shape, bytes: bytesOf(dtype === 'F32' ? data : halves()) }] as const;
  });
  for (let padding = ''; ; padding += ' ') {
    const bytes = safetensors(Object.fromEntries(entries), undefined, padding);
    if (new DataView(bytes.buffer).getUint32(0, true) % 8 === 0) return bytes;
  }
}

let engine: Attention;
beforeAll(async () => {
  engine = await createAttention();
});
afterAll(() => engine?.dispose());

const families = [
  encoder,
  ...decoders,
  { name: 'ViT', config: ofVit.config, tensors: ofVit.weights() },
  { name: 'Marian', config: ofMarian.config, tensors: ofMarian.weights() },
];
const ids = [3, 0, 28, 7];

describe('a model lets go of its file', () => {
  describe.each(families)('$name', ({ config, tensors }) => {
    test.each(['float32', 'int8'] as const)('as bytes, in %s', async (weights) => {
      const make = () => {
        const bytes = inFile(tensors);
        return { model: createModel(engine, { config, tensors: bytes }, { weights }), held: new WeakRef(bytes.buffer) };
      };
      const { model, held } = make();
      expect(await isCollected(held)).toBe(true);
      const input = config.model_type === 'vit' ? ofVit.picture(1) : ids;
      expect((await model.embed(input)).shape).toEqual([1, model.embedSize]);
      model.dispose();
    });
  });

  test.each([
    ['as tensors of a file', () => inFile(encoder.tensors)],
    ['as tensors of a bfloat16 file', () => inFile(encoder.tensors, 'BF16')],
  ])('%s', async (_, fileOf) => {
    const make = () => {
      const bytes = fileOf();
      const tensors = readSafetensors(bytes);
      return { model: createModel(engine, { config: encoder.config, tensors }), held: new WeakRef(bytes.buffer) };
    };
    const { model, held } = make();
    expect(await isCollected(held)).toBe(true);
    model.dispose();
  });
  test('and of what getters make, one tensor after the other', async () => {
    const made: WeakRef<object>[] = [];
    const tensors = {};
    for (const [name, { data, shape }] of Object.entries(encoder.tensors)) {
      const get = () => {
        const copy = data.slice();
        made.push(new WeakRef(copy.buffer));
        return { data: copy, shape };
      };
      Object.defineProperty(tensors, name, { enumerable: true, get });
    }
    const { model, fill } = prepareModel(engine, { config: encoder.config, tensors });
    let most = 0;
    for (const _ of fill) {
      // What a weak reference is asked for stays until the turn ends.
      await setTimeout(1);
      collect();
      most = Math.max(most, made.filter((one) => one.deref()).length);
    }
    expect(most).toBeLessThanOrEqual(2);
    expect(made.length).toBeGreaterThan(50);
    model.dispose();
  });
  test('when it is disposed before it was filled', async () => {
    const make = () => {
      const bytes = inFile(encoder.tensors);
      const { model } = prepareModel(engine, { config: encoder.config, tensors: bytes });
      model.dispose();
      return { model, held: new WeakRef(bytes.buffer) };
    };
    const { model, held } = make();
    expect(await isCollected(held)).toBe(true);
    expect(model.type).toBe('bert');
  });
});

describe('a worker lets go of a model’s file', () => {
  test('where it lives', async () => {
    const attention = await createOver(PartedEngine, {});
    const sent: { kind: string; id: number }[] = [];
    const host = new Host(attention, engineOf(attention) as PartedEngine, (message) => {
      sent.push(message as never);
    });
    const receive = () => {
      const bytes = inFile(encoder.tensors);
      const args = [{ config: encoder.config, tensors: bytes }, {}];
      host.receive({ kind: 'call', id: 1, target: 0, method: 'createModel', args, as: 1, mayEnd: true } as never);
      return new WeakRef(bytes.buffer);
    };
    const held = receive();
    while (!sent.some(({ kind }) => kind === 'result' || kind === 'error')) await setTimeout(1);
    expect(sent.at(-1)).toMatchObject({ kind: 'result', id: 1 });
    host.receive({ kind: 'keep', id: 1 });
    expect(await isCollected(held)).toBe(true);
    attention.dispose();
  });
  test.each([false, true])('and where it was called from, transfer: %s', async (transfer) => {
    const worker = await createAttentionWorker();
    const make = async () => {
      const bytes = inFile(encoder.tensors);
      const held = new WeakRef(bytes.buffer);
      return { held, model: await worker.createModel({ config: encoder.config, tensors: bytes }, { transfer }) };
    };
    const { held, model } = await make();
    expect(await isCollected(held)).toBe(true);
    expect((await model.embed(ids)).shape).toEqual([1, 21]);
    worker.dispose();
  });
});

describe('others let go of what they were given', () => {
  const random = new Random(3);
  const matrix = () => random.tensor([64, 64]);
  const cases: [what: string, use: (given: ReturnType<typeof matrix>) => unknown][] = [
    ['a tensor', (given) => engine.tensor(given)],
    ['a packed weight', (given) => engine.linearWeight(given)],
    ['a packed weight in int8', (given) => engine.linearWeight(given, { dtype: 'int8' })],
    [
      'a multi-head layer',
      (given) =>
        engine.multiHeadAttention(
          { embedDim: 64, numHeads: 2 },
          { q_proj_weight: given, k_proj_weight: given, v_proj_weight: given, 'out_proj.weight': given },
        ),
    ],
    [
      'a cache',
      (given) => {
        const cache = engine.kvCache({ numKvHeads: 1, headDim: 64, capacity: 64 });
        cache.append({ data: given.data, shape: [1, 1, 64, 64] }, { data: given.data, shape: [1, 1, 64, 64] });
        return cache;
      },
    ],
    [
      'a mask, which has a copy',
      ({ data }) => masks.dense({ data: new Uint8Array(data.buffer, 0, 4096), shape: [64, 64], dtype: 'bool' }),
    ],
    ['an engine that has made a call', (given) => [engine, engine.linear(given, given)]],
  ];
  test.each(cases)('%s', async (_, use) => {
    const make = () => {
      const given = matrix();
      return { kept: use(given), held: new WeakRef(given.data.buffer) };
    };
    const { kept, held } = make();
    expect(await isCollected(held)).toBe(true);
    expect(kept).toBeDefined();
  });
});
