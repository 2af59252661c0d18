import { type Attention, AttentionError, createAttention } from 'attention-wasm';
import { createModel, readSafetensors } from 'attention-wasm/models';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decoders, encoder } from '../families.ts';
import { bytesOf as bytesOfArray, file } from '../safetensors-file.ts';
import { explore } from './run.ts';

/** Files that nobody vouches for: whatever is wrong with them is refused by an AttentionError, and what is read is there. */
let engine: Attention;
beforeAll(async () => {
  engine = await createAttention();
});
afterAll(() => engine?.dispose());

const bytesOf: Record<string, number> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I8: 1, U8: 1, BOOL: 1 };
/** In one of so many cases. */
const rarely = <T>(cases: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: cases - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
const size = fc.oneof(
  { weight: 30, arbitrary: fc.nat(4) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 - 1, 1e300, -0, '2', null) },
);
const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'weight', 'weight.bias') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'constructor', '', '"', '\\', '\u0000', '\ud800', '__metadata__'),
  },
  { weight: 1, arbitrary: fc.string() },
);
const entry = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      dtype: fc.oneof(
        { weight: 12, arbitrary: fc.constantFrom(...Object.keys(bytesOf)) },
        { weight: 1, arbitrary: fc.constantFrom('F8_E4M3', 'f32', '', 5) },
      ),
      shape: fc.array(size, { maxLength: 9 }),
      // Where it lies: as the entries before it leave room, or wherever.
      offsets: rarely(12, fc.tuple(size, size)),
    }),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 6 }) },
);
/** A header, how it is written down, and what is done to the bytes. */
const files = fc.record({
  entries: fc.array(fc.tuple(name, entry), { maxLength: 5 }),
  metadata: rarely(
    3,
    fc.oneof({ weight: 3, arbitrary: fc.dictionary(name, fc.string()) }, { weight: 1, arbitrary: fc.jsonValue() }),
  ),
  spaces: fc.nat(9),
  slack: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -4, max: 4 }) }),
  claimed: rarely(12, fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 53n, 2n ** 64n - 1n)),
  flips: rarely(4, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 2 })),
  cut: rarely(8, fc.nat(300)),
  at: fc.nat(8),
});

/** The text as it is, equal names and all: no object could have them. */
function write({
  entries,
  metadata,
  spaces,
  slack,
  claimed,
  flips,
  cut,
  at,
}: typeof files extends fc.Arbitrary<infer T> ? T : never) {
  let end = 0;
  const members = entries.map(([key, made]) => {
    let value: unknown = made;
    if (typeof made === 'object' && made !== null && 'offsets' in made) {
      const { dtype, shape, offsets } = made as { dtype: string; shape: number[]; offsets: unknown };
      const bytes = shape.reduce((product, n) => product * n, bytesOf[dtype] ?? 1);
      const stop = end + (Number.isSafeInteger(bytes) && bytes >= 0 && bytes < 1e5 ? bytes : 0);
      value = { dtype, shape, data_offsets: offsets ?? [end, stop] };
      if (offsets === null) end = stop;
    }
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  if (metadata !== null) members.push(`"__metadata__":${JSON.stringify(metadata)}`);
  const text = `{${members.join(',')}}${' '.repeat(spaces)}`;
  const data = Uint8Array.from({ length: Math.max(0, end + slack) }, (_, i) => i * 37 + (i >> 8));
  const whole = file(text, data, ...(claimed === null ? [] : [{ claimed }]));
  for (const [place, value] of flips ?? []) if (place < whole.length) whole[place] = value;
  const bytes = new Uint8Array(whole.length + at).subarray(at);
  bytes.set(whole);
  return bytes.subarray(0, cut ?? bytes.length);
}

/** Passes an AttentionError on, and nothing else. */
function refusalOf(call: () => unknown): AttentionError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof AttentionError) return error;
    throw error;
  }
}

/** Parts of the messages of all refusals that a file can bring about. */
const kinds = [
  'at least 8',
  'more than the format allows',
  'follow',
  'does not begin',
  'is not JSON',
  'stands twice',
  'is not a map from text',
  'wants a dtype',
  'starts at byte',
  ', wanted F64',
  'has bytes',
  'but the data has',
];

test('safetensors: refused, or every tensor is its part of the data', async () => {
  const seen: Record<string, number> = {};
  const count = (what: string) => {
    seen[what] = (seen[what] ?? 0) + 1;
  };
  const property = fc.property(files, (recipe) => {
    const bytes = write(recipe);
    let tensors: ReturnType<typeof readSafetensors> | undefined;
    const refusal = refusalOf(() => {
      tensors = readSafetensors(bytes);
    });
    if (!tensors) {
      count(kinds.find((kind) => refusal?.message.includes(kind)) ?? 'refused otherwise');
      return ['CORRUPT_FILE', 'UNSUPPORTED_DTYPE'].includes(refusal?.code as string);
    }
    count(`read, ${['empty', 'one tensor'][Object.keys(tensors).length] ?? 'several tensors'}`);
    const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
    const names = Object.getOwnPropertyNames(header).filter((key) => key !== '__metadata__');
    expect(Object.keys(tensors).sort()).toEqual(names.sort());
    let total = 0;
    for (const key of names) {
      const { shape, data } = tensors[key] as (typeof tensors)[string];
      const { dtype, data_offsets: offsets } = (Object.getOwnPropertyDescriptor(header, key) as PropertyDescriptor)
        .value;
      expect(data.length).toBe(shape.reduce((product, n) => product * n, 1));
      expect(offsets[1] - offsets[0]).toBe(data.length * (bytesOf[dtype] as number));
      total += offsets[1] - offsets[0];
      const stored = bytes.subarray(8 + headerBytes + offsets[0], 8 + headerBytes + offsets[1]);
      expect(Buffer.compare(bytesOfArray(data), stored)).toBe(0);
    }
    expect(8 + headerBytes + total).toBe(bytes.length);
    return true;
  });
  await explore('safetensors', property, 20_000, 0.5);
  console.log(seen);
  for (const kind of [...kinds, 'read, one tensor', 'read, several tensors'])
    expect(seen[kind], kind).toBeGreaterThan(20);
});

const families = [encoder, ...decoders];
/** One thing about a checkpoint that is another: a value of its config, or a tensor's shape, type or numbers. */
const change = fc.record({
  what: fc.constantFrom('config', 'config', 'config', 'shape', 'missing', 'dtype', 'numbers', 'junk'),
  which: fc.nat(),
  value: fc.oneof(
    fc.constantFrom<unknown>(
      0,
      1,
      -1,
      0.5,
      3,
      7,
      22,
      1e9,
      2 ** 31,
      2 ** 53,
      1e300,
      Number.NaN,
      'gelu',
      'silu',
      '',
      null,
      true,
    ),
    fc.constantFrom<unknown>({ rope_type: 'yarn', factor: 2 }, { type: 'llama3' }, [], {}, [1, 2]),
    fc.jsonValue({ maxDepth: 2 }),
  ),
});
const checkpoints = fc.record({
  family: fc.nat(families.length - 1),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  int8: fc.boolean(),
});
/** Settings that checkpoints come with beside those that the synthetic ones have. */
const settings = [
  ...['rope_scaling', 'rope_theta', 'head_dim', 'num_key_value_heads', 'sliding_window', 'tie_word_embeddings'],
  ...[
    'hidden_act',
    'activation_function',
    'rms_norm_eps',
    'attention_bias',
    'mlp_bias',
    'n_inner',
    'scale_attn_weights',
  ],
  ...[
    'model_type',
    'eos_token_id',
    'position_embedding_type',
    'is_decoder',
    'architectures',
    'max_position_embeddings',
  ],
];

function changed({ family, changes }: { family: number; changes: { what: string; which: number; value: unknown }[] }) {
  const { config, tensors } = families[family] as (typeof families)[number];
  const files = {
    config: { ...config } as Record<string, unknown>,
    tensors: { ...tensors } as Record<string, unknown>,
  };
  const names = Object.keys(tensors);
  const keys = [...Object.keys(config), ...settings];
  for (const { what, which, value } of changes) {
    const key = names[which % names.length] as string;
    const { data, shape } = tensors[key] as { data: Float32Array; shape: number[] };
    if (what === 'config') files.config[keys[which % keys.length] as string] = value;
    if (what === 'missing') delete files.tensors[key];
    if (what === 'shape') files.tensors[key] = { data, shape: which % 2 ? [...shape].reverse() : [1, ...shape] };
    if (what === 'dtype') files.tensors[key] = { data: Int32Array.from(data), shape };
    if (what === 'numbers') files.tensors[key] = { data: data.map((_, i) => (i % 7 ? 1e30 : Number.NaN)), shape };
    if (what === 'junk') files.tensors[key] = value;
  }
  return files;
}

test('checkpoints: refused when made, or a model that runs; nothing stays behind', async () => {
  const seen = { refused: 0, ran: 0 };
  const live = async (recipe: Parameters<typeof changed>[0] & { int8: boolean }) => {
    const files = changed(recipe) as never;
    let model: ReturnType<typeof createModel> | undefined;
    const refusal = refusalOf(() => {
      model = createModel(engine, files, recipe.int8 ? { weights: 'int8' } : undefined);
    });
    if (!model) {
      seen.refused++;
      return refusal?.code !== 'DISPOSED';
    }
    try {
      const tokens = [3, 0, 5, 1];
      if (model.maxLength < tokens.length) {
        await expect(model.forward(tokens)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'input' });
      }
      const { lastHiddenState } = await model.forward(tokens.slice(0, model.maxLength), { attention: true });
      seen.ran++;
      return lastHiddenState.shape.at(-1) === model.embedSize;
    } finally {
      model.dispose();
    }
  };
  await explore('checkpoints', fc.asyncProperty(checkpoints, live), 600, 0.5);
  console.log(seen);
  expect(seen.ran).toBeGreaterThan(20);
  expect(seen.refused).toBeGreaterThan(20);
  // The same again: whatever is refused or thrown away has given its memory back.
  const recipes = fc.sample(checkpoints, { seed: 1, numRuns: 100 });
  for (const recipe of recipes) await live(recipe);
  const before = engine.info.memoryBytes;
  for (let time = 0; time < 3; time++) for (const recipe of recipes) await live(recipe);
  expect(engine.info.memoryBytes).toBe(before);
});
