import { checkKeys, oneOf } from './arguments.js';
import type { Core } from './attention-module.js';
import { bindMethods } from './bound.js';
import type { Engine } from './engine.js';
import { AttentionError, inTermsOf, invalid } from './errors.js';
import { epsilonOf } from './layers.js';
import { isMask } from './masks/index.js';
import { source } from './multi-head.js';
import { operand } from './operand.js';
import { ruleSlots } from './rules.js';
import { type PlainTensor, plainTensor } from './state-dict.js';
import { makeDisposable } from './tensor.js';
import type { TransformerDict } from './transformer-dict.js';
import { type Floats, type Layer, type Norm, Parts } from './transformer-parts.js';
import type {
  Attention,
  AttentionResult,
  Mask,
  NdArray,
  Out,
  TensorLike,
  TransformerConfig,
  TransformerDecoderOptions,
} from './types.js';

/** What the state dict says, and what the config does. */
type Module = Pick<TransformerDict, 'isDecoder' | 'isStack' | 'embedDim'> & Required<TransformerConfig>;
/** Calls of the engine, one after the other; each is given back its result. */
type Steps<R> = Generator<unknown, R, unknown>;

const encoderKeys = ['causal', 'mask', 'attentionMask', 'weights', 'out'] as const;
const decoderKeys = [...encoderKeys, 'memoryMask', 'memoryAttentionMask'] as const;

/** A module in the engine's memory. */
export function transformer(
  attention: Attention,
  engine: Engine,
  config: Required<TransformerConfig>,
  dict: TransformerDict,
): unknown {
  const { isDecoder, isStack, embedDim } = dict;
  const parts = new Parts(attention, dict, config.numHeads);
  return new Transformer(attention, engine, { ...config, isDecoder, isStack, embedDim }, parts);
}

export function readConfig(given: TransformerConfig): Required<TransformerConfig> {
  if (given === undefined) throw invalid('config', given, 'an object');
  const keys = ['numHeads', 'activation', 'normFirst', 'layerNormEpsilon'];
  const { numHeads, activation, normFirst, layerNormEpsilon } = checkKeys('config', given, keys);
  return {
    numHeads,
    activation: oneOf('config.activation', activation ?? 'relu', ['relu', 'gelu']),
    normFirst: oneOf('config.normFirst', normFirst ?? false, [false, true]),
    layerNormEpsilon: epsilonOf('config.layerNormEpsilon', layerNormEpsilon ?? 1e-5),
  };
}

/** One of torch's transformer modules, with its weights in an engine's memory. */
class Transformer {
  readonly #attention: Attention;
  readonly #engine: Engine;
  readonly #module: Module;
  #parts: Parts | undefined;

  constructor(attention: Attention, engine: Engine, module: Module, parts: Parts) {
    this.#attention = attention;
    this.#engine = engine;
    this.#module = module;
    this.#parts = parts;
    bindMethods(this);
  }

  dispose(): void {
    this.#parts?.dispose();
    this.#parts = undefined;
  }

  /** forward(x, options?) of encoders, forward(x, memory, options?) of decoders. */
  forward(x: TensorLike, ...rest: unknown[]): unknown {
    const parts = this.#parts;
    if (parts === undefined) throw new AttentionError('DISPOSED', undefined, 'this layer was disposed');
    const { embedDim, isDecoder } = this.#module;
    const [memory, given] = isDecoder ? rest : [undefined, rest[0]];
    const options = this.#read(given);
    const from = source('x', x, embedDim);
    const context = isDecoder ? source('memory', memory, embedDim, from) : undefined;
    const plain = [from, ...(context ? [context] : [])].map((one) => plainTensor(this.#engine, one));
    return inSteps(this.#run(parts, plain, options));
  }

  #read(given: unknown): TransformerDecoderOptions {
    const keys = this.#module.isDecoder ? decoderKeys : encoderKeys;
    const options = checkKeys('options', given as TransformerDecoderOptions | undefined, keys);
    return {
      ...options,
      weights: oneOf('options.weights', options.weights ?? false, [false, true]),
      mask: this.#lasting('options.mask', options.mask),
      attentionMask: this.#lasting('options.attentionMask', options.attentionMask),
      memoryMask: this.#lasting('options.memoryMask', options.memoryMask),
      memoryAttentionMask: this.#lasting('options.memoryAttentionMask', options.memoryAttentionMask),
    };
  }

  /** A view of the engine's memory as a copy: each layer reads the mask, and the memory may grow before. */
  #lasting<M extends Mask | TensorLike>(argument: string, mask: M | undefined): M | undefined {
    if (mask === undefined || isMask(mask)) return mask;
    const from = operand(argument, mask);
    const { values, shape, dtype } = this.#engine.detached(from);
    return values === from.values ? mask : ({ data: values, shape, dtype } as unknown as M);
  }

  *#run(parts: Parts, [x, context]: readonly PlainTensor[], options: TransformerDecoderOptions): Steps<unknown> {
    const room: Floats[] = [];
    const make = (tensor: Floats) => room[room.push(tensor) - 1] as Floats;
    try {
      const hidden = make(this.#attention.tensor(x as PlainTensor, 'float32'));
      const memory = context && make(this.#attention.tensor(context, 'float32'));
      const branch = make(this.#attention.zeros(hidden.shape));
      const normed = this.#module.normFirst ? make(this.#attention.zeros(hidden.shape)) : hidden;
      const pass = new Pass(this.#attention, this.#module, options, { hidden, memory, branch, normed });
      for (const layer of parts.layers) yield* pass.layer(layer);
      if (parts.norm) pass.normalise(hidden, parts.norm, hidden);
      return { output: this.#copied(hidden, options.out), ...pass.maps };
    } catch (error) {
      throw inTermsOf(error, 'shape', 'x'); // of the memory that the pass works in
    } finally {
      for (const tensor of room) tensor.dispose();
    }
  }

  /** In `out` if it is given, else in a new array. */
  #copied(hidden: Floats, out: Out | undefined): NdArray | Out {
    const rules = Array.from({ length: ruleSlots }, () => undefined);
    const request = { operands: [...rules, operand('x', hidden)], out, run: (core: Core) => core.toFloat32() };
    return this.#engine.call(request, (results) => results.output());
  }
}

makeDisposable(Transformer);

/** The memory that a pass works in. */
interface Room {
  readonly hidden: Floats;
  readonly memory: Floats | undefined;
  /** What is added to hidden. */
  readonly branch: Floats;
  /** What a part reads: hidden itself, unless norms come first. */
  readonly normed: Floats;
}

/** x on its way through the layers. */
class Pass {
  readonly #attention: Attention;
  readonly #module: Module;
  readonly #options: TransformerDecoderOptions;
  readonly #room: Room;
  readonly #weights: NdArray[] = [];
  readonly #crossWeights: NdArray[] = [];

  constructor(attention: Attention, module: Module, options: TransformerDecoderOptions, room: Room) {
    this.#attention = attention;
    this.#module = module;
    this.#options = options;
    this.#room = room;
  }

  get maps(): { weights: unknown; crossWeights?: unknown } {
    const { isDecoder, isStack } = this.#module;
    const of = (all: NdArray[]) => (this.#options.weights ? (isStack ? all : all[0]) : undefined);
    return { weights: of(this.#weights), ...(isDecoder && { crossWeights: of(this.#crossWeights) }) };
  }

  *layer({ selfAttention, crossAttention, feedForward, norms }: Layer): Steps<void> {
    const { branch } = this.#room;
    const { causal, mask, attentionMask, weights } = this.#options;
    const rules = { causal, mask, attentionMask, weights, out: branch };
    const own = yield* this.#part(norms[0] as Norm, (x) => selfAttention.forward(x, rules));
    if (weights) this.#weights.push((own as AttentionResult<true>).weights);
    if (crossAttention) yield* this.#cross(crossAttention, norms[1] as Norm);
    const { activation } = this.#module;
    yield* this.#part(norms.at(-1) as Norm, (x) => {
      return this.#attention.feedForward(x, feedForward, { activation, out: branch });
    });
  }

  normalise(x: Floats, { weight, bias }: Norm, out: Floats): void {
    this.#attention.layerNorm(x, weight, bias, { epsilon: this.#module.layerNormEpsilon, out });
  }

  *#cross(attention: NonNullable<Layer['crossAttention']>, norm: Norm): Steps<void> {
    const { memory, branch } = this.#room;
    const { memoryMask: mask, memoryAttentionMask: attentionMask, weights } = this.#options;
    const rules = { mask, attentionMask, weights, out: branch };
    try {
      const seen = yield* this.#part(norm, (x) => attention.forward(x, memory, undefined, rules));
      if (weights) this.#crossWeights.push((seen as AttentionResult<true>).weights);
    } catch (error) {
      const named = inTermsOf(error, 'options.mask', 'options.memoryMask');
      throw inTermsOf(named, 'options.attentionMask', 'options.memoryAttentionMask');
    }
  }

  /** hidden + part(hidden), normalised before the part or after the addition. */
  *#part(norm: Norm, part: (x: Floats) => unknown): Steps<unknown> {
    const { hidden, branch, normed } = this.#room;
    const { normFirst } = this.#module;
    if (normFirst) this.normalise(hidden, norm, normed);
    const result = yield part(normed);
    this.#attention.add(hidden, branch, { out: hidden });
    if (!normFirst) this.normalise(hidden, norm, hidden);
    return result;
  }
}

/** Makes the calls. If one is a promise, as in a worker (worker/parted-engine.ts), the result is a promise, too. */
function inSteps<R>(steps: Steps<R>, next = steps.next()): R | Promise<R> {
  let step = next;
  while (!step.done) {
    const { value } = step;
    if (value instanceof Promise) {
      return value.then(
        (result) => inSteps(steps, steps.next(result)),
        (error) => inSteps(steps, steps.throw(error)),
      );
    }
    step = steps.next(value);
  }
  return step.value;
}
