import type { Attention, Tensor } from 'attention-wasm';
import { masks } from 'attention-wasm';
import type { Random } from '../random.ts';

/** What no declaration allows, what one does in another place, and what is nearly right. */
export function anything(random: Random, held: readonly Tensor[], depth = 0): unknown {
  const size = () => random.pick([0, 1, 2, 3, 8, 16, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, Number.NaN]);
  const list = () => Array.from({ length: random.integer(0, 4) }, size);
  const few = () => Array.from({ length: random.integer(0, 4) }, () => random.integer(0, 4));
  const kinds: (() => unknown)[] = [
    () => random.pick([undefined, null, true, false, '', 'causal', Symbol.iterator, 10n, () => 1]),
    () => random.pick([0, -0, 1, -1, 1.5, 1e300, Number.NaN, Infinity, 2 ** 31, 2 ** 32, 2 ** 53]),
    list,
    () => new Float32Array(random.integer(0, 20)),
    () => random.pick([new Uint8Array(9), new BigInt64Array(3), new Float64Array(4), new DataView(new ArrayBuffer(8))]),
    () => ({ data: new Float32Array(random.integer(0, 40)), shape: few() }),
    () => {
      const shape = few();
      return { data: random.floats(shape.reduce((product, n) => product * n, 1)), shape };
    },
    () => ({ data: new Uint16Array(8), shape: [2, 4], dtype: random.pick(['float16', 'float32', 'int7', 3]) }),
    () => ({ data: new Float32Array(4), shape: list() }),
    () => ({ data: new Float32Array(random.integer(0, 40)), shape: few(), strides: list(), offset: size() }),
    () => {
      const strides = Array.from({ length: 2 }, () => random.integer(-4, 4));
      return { data: random.floats(40), shape: [3, 4], strides, offset: random.integer(0, 40) };
    },
    () => ({ length: random.pick([3, 2 ** 31, -1, 'x']) }),
    () => (held.length > 0 ? random.pick(held) : null),
    () => random.pick([masks.causal(), masks.slidingWindow(2, 0), masks.documents([0, 0, 1])]),
    () => new Proxy({}, {}),
    () => Object.create(null),
  ];
  const names = [
    ...['causal', 'mask', 'weights', 'window', 'softcap', 'scale', 'layout', 'numHeads', 'out', 'logSumExp', 'alibi'],
    ...[
      'sinks',
      'kvLengths',
      'queryOffset',
      'cuSeqlensQ',
      'cuSeqlensKv',
      'axis',
      'start',
      'end',
      'epsilon',
      'size',
      'rows',
      'pool',
    ],
    ...['numKvHeads', 'headDim', 'capacity', 'dtype', 'embedDim', 'query', 'key', 'value', 'up', 'down', 'positions'],
  ];
  if (depth < 2) {
    kinds.push(() => {
      const options: Record<string, unknown> = {};
      for (let n = random.integer(0, 4); n > 0; n--) options[random.pick(names)] = anything(random, held, depth + 1);
      return options;
    });
  }
  return random.pick(kinds)();
}

const functions = [
  ...['tensor', 'zeros', 'linearWeight', 'scaledDotProductAttention', 'variableLengthAttention', 'selfAttention'],
  ...['crossAttention', 'linearAttention', 'attentionMap', 'attentionRollout', 'multiHeadAttention', 'kvCache'],
  ...['linear', 'layerNorm', 'rmsNorm', 'softmax', 'gelu', 'silu', 'relu', 'tanh', 'add', 'feedForward', 'embedding'],
  ...['sigmoid', 'softplus', 'l2Normalize', 'multiply', 'concat', 'slice', 'cosineSimilarity', 'argmax', 'topK'],
  ...['sinusoidalPositions', 'rotaryEmbedding', 'alibiSlopes', 'scope'],
] as const;

/** Of an option by that name. */
const outOf = (value: unknown) =>
  typeof value === 'object' && value !== null ? (value as { out?: unknown }).out : null;

/** Some function with some arguments; what it makes is given back, so that nothing is left. Told is what it may write. */
export function callAnything(
  engine: Attention,
  random: Random,
  held: readonly Tensor[],
  mayWrite: (tensor: unknown) => void,
): string {
  const name = random.pick(functions);
  const args = Array.from({ length: random.integer(0, 5) }, () => anything(random, held));
  for (const argument of args) mayWrite(outOf(argument));
  const result = (engine[name] as (...args: unknown[]) => unknown).apply(engine, args);
  if (!held.includes(result as Tensor)) (result as Partial<Tensor>)?.dispose?.();
  return name;
}
