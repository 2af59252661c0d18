import { type Attention, AttentionError, createAttention, type Tensor } from 'attention-wasm';
import { createModel } from 'attention-wasm/models';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectAttention } from '../against-oracle.ts';
import { cacheRecipes } from '../arbitrary/cache-recipe.ts';
import { liveThrough } from '../arbitrary/cache-run.ts';
import { callOf } from '../arbitrary/call.ts';
import { recipes } from '../arbitrary/recipe.ts';
import { expectClose } from '../compare.ts';
import { wrongAttention } from '../errors-attention.ts';
import { wrongCalls } from '../errors-calls.ts';
import { wrongFunctions } from '../errors-functions.ts';
import { decoders } from '../families.ts';
import * as oracle from '../oracle/layers.ts';
import { Random } from '../random.ts';
import { variants } from '../variants.ts';
import { callAnything } from './junk.ts';
import { explore } from './run.ts';

/**
 * Lives of an engine: calls of every kind, right, wrong and absurd, beside a model that knows what every resident tensor
 * holds and how much memory all this may take. Whatever is thrown is an AttentionError, and the engine works on.
 */
const limit = 64 << 20;
const wrong = [...wrongAttention, ...wrongCalls, ...wrongFunctions];

interface Model {
  /** What resident tensors hold. */
  values: Map<number, Float32Array>;
  next: number;
  /** Bytes held at once, at most. */
  peak: number;
}
interface Real {
  engine: Attention;
  tensors: Map<number, Tensor<'float32'>>;
}
type Step = fc.AsyncCommand<Model, Real>;

const bytesOf = ({ values }: Model) => [...values.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);

/** What must hold whenever a step is done. */
function checkAll(model: Model, { engine, tensors }: Real): void {
  model.peak = Math.max(model.peak, bytesOf(model));
  for (const [id, values] of model.values) {
    const { data } = tensors.get(id) as Tensor<'float32'>;
    const at = values.findIndex((value, i) => !Object.is(value, data[i]));
    if (at >= 0 || data.length !== values.length) throw new Error(`tensor ${id} changed at ${at}`);
  }
  // The module's own 4 MiB, what is held, what a call needs, and what allocation loses and growing adds.
  const { memoryBytes, highWaterBytes } = engine.info;
  const explained = (4 << 20) + 1.5 * (model.peak + highWaterBytes) + (4 << 20);
  if (!(memoryBytes <= explained)) throw new Error(`${memoryBytes} bytes, ${explained} explained`);
}

function refusalCode(error: unknown): string {
  if (error instanceof AttentionError) return error.code;
  throw error;
}

/** By what code a call is refused, or undefined. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return refusalCode(error);
  }
}

function step(
  name: string,
  run: (model: Model, real: Real) => unknown,
  check: (model: Model) => boolean = () => true,
): Step {
  return {
    check: (model) => check(model),
    run: async (model, real) => {
      await run(model, real);
      checkAll(model, real);
    },
    toString: () => name,
  };
}

/** The `raw`th tensor that lives. */
function chosen(model: Model, { tensors }: Real, raw: number): [number, Float32Array, Tensor<'float32'>] {
  const ids = [...model.values.keys()];
  const id = ids[raw % ids.length] as number;
  return [id, model.values.get(id) as Float32Array, tensors.get(id) as Tensor<'float32'>];
}
const hasTensors = ({ values }: Model) => values.size > 0;

const make = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 5000 })).map(([seed, length]) =>
  step(`tensor(${seed}, ${length})`, (model, { engine, tensors }) => {
    const data = new Random(seed).floats(length);
    tensors.set(model.next, engine.tensor({ data, shape: [length] }) as Tensor<'float32'>);
    model.values.set(model.next++, data);
  }),
);
/** Memory grows, and every view of it is made anew. */
const grow = fc.integer({ min: 18, max: 21 }).map((log) =>
  step(`zeros(2 ** ${log})`, (model, { engine, tensors }) => {
    if (bytesOf(model) > limit / 4) return;
    tensors.set(model.next, engine.zeros([2 ** log]));
    model.values.set(model.next++, new Float32Array(2 ** log));
  }),
);
const write = fc.tuple(fc.nat(), fc.nat(), fc.float()).map(([raw, at, value]) =>
  step(
    `write(${raw}, ${at}, ${value})`,
    (model, real) => {
      const [, values, tensor] = chosen(model, real, raw);
      if (values.length === 0) return;
      tensor.data[at % values.length] = value;
      values[at % values.length] = value;
    },
    hasTensors,
  ),
);
const dispose = fc.tuple(fc.nat(), fc.boolean()).map(([raw, twice]) =>
  step(
    `dispose(${raw}, ${twice})`,
    (model, real) => {
      const [id, , tensor] = chosen(model, real, raw);
      tensor.dispose();
      if (twice) tensor.dispose();
      expect(codeOf(() => real.engine.gelu(tensor))).toBe('DISPOSED');
      model.values.delete(id);
      real.tensors.delete(id);
    },
    hasTensors,
  ),
);
const layer = fc
  .tuple(fc.nat(), fc.constantFrom('relu' as const, 'softmax' as const, 'gelu' as const), fc.boolean())
  .map(([raw, name, inPlace]) =>
    step(
      `${name}(${raw}, ${inPlace})`,
      (model, real) => {
        const [, values, tensor] = chosen(model, real, raw);
        if (values.length > 5000 || !values.every((value) => Math.abs(value) < 1e4)) return;
        const x = { data: Float32Array.from(values), shape: [values.length] };
        const one = { relu: oracle.relu, gelu: oracle.gelu };
        const exact = name === 'softmax' ? oracle.softmax(x) : { ...x, data: Array.from(values, one[name]) };
        const got = real.engine[name](tensor, inPlace ? { out: tensor } : {});
        expectClose(
          { data: got.data.slice() as Float32Array, shape: [...got.shape] },
          exact,
          2e-5 * (1 + Math.max(0, ...values.map(Math.abs))),
        );
        if (inPlace) values.set(tensor.data);
      },
      hasTensors,
    ),
  );
const attend = recipes.map((recipe) =>
  step(`attend(${fc.stringify(recipe)})`, (_, { engine }) => {
    const { inputs, options, manner } = callOf(recipe);
    expectAttention(engine, inputs, options, manner);
  }),
);
const live = cacheRecipes.map((recipe) =>
  step(`live(${fc.stringify(recipe)})`, (_, { engine }) => liveThrough(engine, recipe, () => {})),
);
const mistake = fc.nat(wrong.length - 1).map((which) => {
  const [name, call, code] = wrong[which] as (typeof wrong)[number];
  return step(name, (_, { engine }) => expect(codeOf(() => call(engine))).toBe(code));
});
const absurd = fc.nat().map((seed) =>
  step(`absurd(${seed})`, (model, { engine, tensors }) => {
    const random = new Random(seed);
    const written = new Set<number>();
    for (let n = 0; n < 20; n++) {
      const held = random.chance(0.3) ? [...tensors.values()] : [];
      codeOf(() =>
        callAnything(engine, random, held, (given) => {
          // By its place it may change as the call likes; the model learns how.
          for (const [id, tensor] of tensors) if (tensor === given) written.add(id);
        }),
      );
      for (const id of written) (model.values.get(id) as Float32Array).set((tensors.get(id) as Tensor<'float32'>).data);
      written.clear();
    }
    model.peak = Math.max(model.peak, bytesOf(model) + (1 << 20));
  }),
);
const exhaust = fc.constant(
  step('exhaust', (model, { engine }) => {
    expect(codeOf(() => engine.zeros([limit / 4]))).toBe('OUT_OF_MEMORY');
    const held: Tensor[] = [];
    expect(codeOf(() => Array.from({ length: 100 }, () => held.push(engine.zeros([1 << 18]))))).toBe('OUT_OF_MEMORY');
    model.peak = Math.max(model.peak, bytesOf(model) + held.length * (4 << 18));
    for (const tensor of held) tensor.dispose();
  }),
);
const abort = fc.integer({ min: 1, max: 9 }).map((after) =>
  step(`abort(${after})`, async (model, { engine }) => {
    const { config, tensors } = decoders[1] as (typeof decoders)[number];
    const llama = createModel(engine, { config, tensors } as never);
    const controller = new AbortController();
    let tokens = 0;
    const onToken = () => {
      if (++tokens === after) controller.abort('enough');
    };
    try {
      const generated = llama.generate([1, 2], { maxNewTokens: 8, onToken, signal: controller.signal });
      const code = await generated.then(() => undefined, refusalCode);
      // An abort at the last token comes too late, or in time.
      if (after !== 8) expect(code).toBe(controller.signal.aborted ? 'ABORTED' : undefined);
    } finally {
      llama.dispose();
    }
    model.peak = Math.max(model.peak, bytesOf(model) + (1 << 20));
  }),
);

const steps = fc.commands(
  [make, make, make, grow, write, dispose, layer, attend, live, mistake, absurd, exhaust, abort],
  {
    maxCommands: 30,
    size: 'max',
  },
);

test.for(variants)('an engine of %s lives through everything', async (variant) => {
  const property = fc.asyncProperty(steps, async (commands) => {
    const engine = await createAttention({ variant, maximumMemoryBytes: limit });
    try {
      const setup = () => ({ model: { values: new Map(), next: 0, peak: 0 }, real: { engine, tensors: new Map() } });
      await fc.asyncModelRun(setup, commands);
    } finally {
      engine.dispose();
    }
  });
  await explore(`api, ${variant}`, property, 12, 0.5);
});
