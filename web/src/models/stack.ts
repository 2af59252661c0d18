import type { Attention, KvCache, NdArray, Tensor } from '../types.js';
import type { LayerOptions } from './layer-options.js';
import type { Block, Linear, Norm, Projections, Stack } from './parts.js';
import type { Tap } from './tap.js';
import type { LayerProjections } from './types.js';

/** One pass of a batch through a stack of blocks. */
export interface StackCall {
  readonly batch: number;
  readonly length: number;
  readonly layerOptions: LayerOptions;
  /** [B,Skv]: keys that attend; all do without it. */
  readonly mask: Int32Array | undefined;
  /** [B·S] for rotary; 0..S-1 without it. */
  readonly positions?: Int32Array | undefined;
  /** Of each layer: what came before. */
  readonly caches?: readonly KvCache[] | undefined;
  /** What cross attention reads. */
  readonly memory?: Memory | undefined;
  readonly tap?: Tap | undefined;
  readonly projections?: boolean | undefined;
  readonly hiddenStates?: boolean | undefined;
  /** Awaited before each layer; throws to end the pass. */
  readonly before: () => Promise<void>;
  readonly onLayer?: (() => void) | undefined;
}

/** An encoder's output as the keys and values of each decoder layer. */
export interface Memory {
  readonly layers: readonly { key: Tensor<'float32'>; value: Tensor<'float32'> }[];
  readonly mask: { data: Int32Array; shape: number[] } | undefined;
  dispose(): void;
}

export interface StackResult {
  /** By layer. */
  readonly attentions: Map<number, NdArray>;
  readonly crossAttentions: Map<number, NdArray>;
  readonly hiddenStates: NdArray[];
  readonly projections: LayerProjections[];
}

/** hidden [B,S,E] becomes the stack's output. */
export async function runStack(
  attention: Attention,
  stack: Stack,
  hidden: Tensor<'float32'>,
  call: StackCall,
): Promise<StackResult> {
  const run = new StackRun(attention, stack, hidden, call);
  try {
    if (call.hiddenStates) run.result.hiddenStates.push(copyOf(hidden));
    for (const [layer, block] of stack.blocks.entries()) {
      await call.before();
      await run.block(layer, block);
      if (call.hiddenStates) run.result.hiddenStates.push(copyOf(hidden));
      call.onLayer?.();
    }
    if (stack.finalNorm) run.normalise(hidden, stack.finalNorm, hidden);
    return run.result;
  } finally {
    run.dispose();
  }
}

/** Keys and values that every decoder layer makes of an encoder's output [B,S,E]. */
export async function remember(
  attention: Attention,
  stack: Stack,
  encoded: Tensor<'float32'>,
  mask: Int32Array | undefined,
): Promise<Memory> {
  const layers: { key: Tensor<'float32'>; value: Tensor<'float32'> }[] = [];
  const dispose = () => {
    for (const { key, value } of layers) {
      key.dispose();
      value.dispose();
    }
  };
  try {
    for (const { cross } of stack.blocks) {
      const { key, value } = cross as Projections;
      const layer = { key: attention.zeros(encoded.shape), value: attention.zeros(encoded.shape) };
      layers.push(layer);
      await attention.linear(encoded, key.weight, key.bias, { out: layer.key });
      await attention.linear(encoded, value.weight, value.bias, { out: layer.value });
    }
  } catch (error) {
    dispose();
    throw error;
  }
  const shape = encoded.shape.slice(0, 2);
  return { layers, mask: mask && { data: mask, shape }, dispose };
}

/** A pass under way, and the memory that it works in. */
class StackRun {
  readonly result: StackResult = {
    attentions: new Map(),
    crossAttentions: new Map(),
    hiddenStates: [],
    projections: [],
  };
  readonly #attention: Attention;
  readonly #stack: Stack;
  readonly #call: StackCall;
  readonly #hidden: Tensor<'float32'>;
  readonly #room: Tensor<'float32'>[] = [];
  readonly #normed: Tensor<'float32'>;
  readonly #branch: Tensor<'float32'>;
  readonly #query: Tensor<'float32'>;
  readonly #key: Tensor<'float32'>;
  readonly #value: Tensor<'float32'>;
  readonly #attended: Tensor<'float32'>;

  constructor(attention: Attention, stack: Stack, hidden: Tensor<'float32'>, call: StackCall) {
    const { heads, kvHeads, headDim, embedSize } = stack;
    this.#attention = attention;
    this.#stack = stack;
    this.#call = call;
    this.#hidden = hidden;
    const make = (width: number) => {
      const tensor = attention.zeros([call.batch, call.length, width]);
      this.#room.push(tensor);
      return tensor;
    };
    try {
      this.#normed = stack.normFirst ? make(embedSize) : hidden;
      this.#branch = make(embedSize);
      this.#query = make(heads * headDim);
      this.#key = make(kvHeads * headDim);
      this.#value = make(kvHeads * headDim);
      this.#attended = make(heads * headDim);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const tensor of this.#room) tensor.dispose();
  }

  /** What is long is awaited: in a worker such calls give way to messages. */
  async block(layer: number, block: Block): Promise<void> {
    await this.#around(block.attentionNorm, (x) => this.#attend(layer, block.attention, x));
    const { cross, crossNorm } = block;
    if (cross) await this.#around(crossNorm as Norm, (x) => this.#cross(layer, cross, x));
    await this.#around(block.feedForwardNorm, async (x) => {
      const { activation } = this.#stack;
      await this.#attention.feedForward(x, block.feedForward, { activation, out: this.#branch });
    });
  }

  normalise(x: Tensor<'float32'>, { weight, bias, epsilon }: Norm, out: Tensor<'float32'>): void {
    if (bias) this.#attention.layerNorm(x, weight, bias, { epsilon, out });
    else this.#attention.rmsNorm(x, weight, { epsilon, out });
  }

  /** hidden += part(hidden), normalised before the part or after the addition. */
  async #around(norm: Norm, part: (x: Tensor<'float32'>) => Promise<void>): Promise<void> {
    const { normFirst } = this.#stack;
    if (normFirst) this.normalise(this.#hidden, norm, this.#normed);
    await part(this.#normed);
    this.#attention.add(this.#hidden, this.#branch, { out: this.#hidden });
    if (!normFirst) this.normalise(this.#hidden, norm, this.#hidden);
  }

  async #attend(layer: number, { query, key, value, output }: Projections, x: Tensor<'float32'>): Promise<void> {
    const [q, k, v] = [this.#query, this.#key, this.#value];
    await this.#linear(x, query, q);
    await this.#linear(x, key, k);
    await this.#linear(x, value, v);
    this.#rotate(q, this.#stack.heads);
    this.#rotate(k, this.#stack.kvHeads);
    const { caches, tap, layerOptions, projections } = this.#call;
    const options = this.#options(layer);
    const { weights, logSumExp } = await (caches
      ? (caches[layer] as KvCache).attend(q, k, v, options)
      : this.#attention.scaledDotProductAttention(q, k, v, { ...options, causal: this.#stack.causal }));
    if (weights) this.result.attentions.set(layer, (tap as Tap).select(weights));
    if (projections) this.#show(logSumExp as NdArray, options.scale, caches?.[layer]);
    for (const head of layerOptions.ablated[layer] ?? []) this.#ablate(head);
    await this.#linear(this.#attended, output, this.#branch);
  }

  #options(layer: number) {
    const { heads, kvHeads, headDim, scaleByLayer } = this.#stack;
    const { batch, length, mask, layerOptions, tap, projections } = this.#call;
    const { masks, temperature } = layerOptions;
    const keys = mask === undefined ? length : mask.length / batch;
    return {
      numHeads: heads,
      numKvHeads: kvHeads,
      scale: 1 / (Math.sqrt(headDim) * (scaleByLayer ? layer + 1 : 1) * temperature),
      ...(mask && { attentionMask: { data: mask, shape: [batch, keys] } }),
      ...(masks[layer] && { mask: masks[layer] }),
      weights: tap?.layers.includes(layer) ?? false,
      logSumExp: projections ?? false,
      out: this.#attended,
    };
  }

  async #cross(layer: number, { query, output }: Projections, x: Tensor<'float32'>): Promise<void> {
    const { memory, tap } = this.#call;
    const { heads } = this.#stack;
    const { layers, mask } = memory as Memory;
    const { key, value } = layers[layer] as Memory['layers'][number];
    await this.#linear(x, query, this.#query);
    const { weights } = await this.#attention.scaledDotProductAttention(this.#query, key, value, {
      numHeads: heads,
      ...(mask && { attentionMask: mask }),
      weights: tap?.layers.includes(layer) ?? false,
      out: this.#attended,
    });
    if (weights) this.result.crossAttentions.set(layer, (tap as Tap).select(weights));
    await this.#linear(this.#attended, output, this.#branch);
  }

  #rotate(x: Tensor<'float32'>, numHeads: number): void {
    const { rotary } = this.#stack;
    if (!rotary) return;
    const { positions } = this.#call;
    this.#attention.rotaryEmbedding(x, { numHeads, ...rotary, ...(positions && { positions }), out: x });
  }

  async #linear(x: Tensor<'float32'>, { weight, bias }: Linear, out: Tensor<'float32'>): Promise<void> {
    await this.#attention.linear(x, weight, bias, { out });
  }

  #ablate(head: number): void {
    const { heads, headDim } = this.#stack;
    const values = this.#attended.data;
    for (let at = head * headDim; at < values.length; at += heads * headDim) values.fill(0, at, at + headDim);
  }

  #show(logSumExp: NdArray, scale: number, cache: KvCache | undefined): void {
    const { heads, kvHeads } = this.#stack;
    const { key, value } = cache?.read() ?? { key: byHead(this.#key, kvHeads), value: byHead(this.#value, kvHeads) };
    this.result.projections.push({ query: byHead(this.#query, heads), key, value, logSumExp, scale });
  }
}

export function copyOf(tensor: Tensor<'float32'>): NdArray {
  const shape = [...tensor.shape];
  return { data: new Float32Array(tensor.data), shape, dims: shape };
}

/** [B,S,H·D] → [B,H,S,D]. */
function byHead(tensor: Tensor<'float32'>, heads: number): NdArray {
  const [batch, length, width] = tensor.shape as [number, number, number];
  const size = width / heads;
  const from = tensor.data;
  const data = new Float32Array(from.length);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let s = 0; s < length; s++) {
        const at = (b * length + s) * width + h * size;
        const to = ((b * heads + h) * length + s) * size;
        // A view for each row would cost more than its few values.
        for (let d = 0; d < size; d++) data[to + d] = from[at + d] as number;
      }
    }
  }
  const shape = [batch, heads, length, size];
  return { data, shape, dims: shape };
}
