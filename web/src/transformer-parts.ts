import { inTermsOf } from './errors.js';
import type { PlainTensor } from './state-dict.js';
import type { TransformerDict } from './transformer-dict.js';
import type { Attention, FeedForwardWeights, LinearWeight, MultiHeadAttention, Tensor } from './types.js';

export type Floats = Tensor<'float32'>;

export interface Norm {
  readonly weight: Floats;
  readonly bias: Floats | undefined;
}

export interface Layer {
  readonly selfAttention: MultiHeadAttention;
  /** Of decoders. */
  readonly crossAttention: MultiHeadAttention | undefined;
  readonly feedForward: FeedForwardWeights;
  /** One for each part, in their order. */
  readonly norms: readonly Norm[];
}

/** The layers of a state dict in an engine's memory. Nothing stays behind if one of them is refused. */
export class Parts {
  readonly layers: readonly Layer[];
  readonly norm: Norm | undefined;
  readonly #attention: Attention;
  readonly #tensors: TransformerDict['tensors'];
  readonly #kept: { dispose(): void }[] = [];

  constructor(attention: Attention, dict: TransformerDict, numHeads: number) {
    this.#attention = attention;
    this.#tensors = dict.tensors;
    const sizes = { embedDim: dict.embedDim, numHeads };
    try {
      this.layers = dict.layers.map((prefix) => this.#layer(prefix, sizes, dict.isDecoder));
      this.norm = dict.norm === undefined ? undefined : this.#norm(dict.norm);
    } catch (error) {
      this.dispose();
      throw inTermsOf(inTermsOf(error, 'weight', 'stateDict'), 'shape', 'stateDict');
    }
  }

  dispose(): void {
    for (const part of this.#kept) part.dispose();
  }

  #layer(prefix: string, sizes: { embedDim: number; numHeads: number }, isDecoder: boolean): Layer {
    return {
      selfAttention: this.#heads(`${prefix}self_attn.`, sizes),
      crossAttention: isDecoder ? this.#heads(`${prefix}multihead_attn.`, sizes) : undefined,
      feedForward: {
        up: this.#matrix(`${prefix}linear1.weight`),
        upBias: this.#vector(`${prefix}linear1.bias`),
        down: this.#matrix(`${prefix}linear2.weight`),
        downBias: this.#vector(`${prefix}linear2.bias`),
      },
      norms: (isDecoder ? [1, 2, 3] : [1, 2]).map((number) => this.#norm(`${prefix}norm${number}.`)),
    };
  }

  #heads(prefix: string, sizes: { embedDim: number; numHeads: number }): MultiHeadAttention {
    const own = [...this.#tensors].filter(([name]) => name.startsWith(prefix));
    const weights = Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
    return this.#keep(this.#attention.multiHeadAttention(sizes, weights));
  }

  #norm(prefix: string): Norm {
    return { weight: this.#vector(`${prefix}weight`) as Floats, bias: this.#vector(`${prefix}bias`) };
  }

  #matrix(name: string): LinearWeight {
    return this.#keep(this.#attention.linearWeight(this.#tensors.get(name) as PlainTensor));
  }

  #vector(name: string): Floats | undefined {
    const tensor = this.#tensors.get(name);
    return tensor && this.#keep(this.#attention.tensor(tensor, 'float32'));
  }

  #keep<T extends { dispose(): void }>(part: T): T {
    this.#kept.push(part);
    return part;
  }
}
