/// <reference lib="esnext.disposable" preserve="true" />
import type { AttentionRules } from './rules.js';
import type { Into, NdArray, Out, TensorLike } from './tensors.js';

/** The tensors of a module by torch's names, as its state_dict() and a safetensors file have them. */
export type StateDict = Readonly<Record<string, TensorLike>>;

/** What the state dict of a transformer layer does not say. */
export interface TransformerConfig {
  /** H, torch's nhead: a divisor of E; another number is INVALID_ARGUMENT. */
  numHeads: number;
  /** Between the two linear layers; 'relu' by default. 'gelu' is the exact one. */
  activation?: 'relu' | 'gelu';
  /** Whether each part normalises its input, instead of the sum that follows it; false by default. */
  normFirst?: boolean;
  /** Added to the variance in each LayerNorm, torch's layer_norm_eps; 1e-5 by default. */
  layerNormEpsilon?: number;
}

/** What forward() of an encoder takes; masks hold for each layer. */
export interface TransformerOptions<W extends boolean = boolean, O = Out | undefined>
  extends Pick<AttentionRules, 'causal' | 'mask' | 'attentionMask'> {
  /** Whether the result has the attention probabilities of each layer, B·H·S·S·4 bytes; false by default. */
  weights?: W;
  /** Where the output goes: x's shape, may be x itself. A new array by default. */
  out?: O;
}

/** What forward() of a decoder takes beside that: masks for the attention to memory. */
export interface TransformerDecoderOptions<W extends boolean = boolean, O = Out | undefined>
  extends TransformerOptions<W, O> {
  /** As `mask`, for queries of x and keys of memory: [B,H,S,Sm] or what broadcasts to it. */
  memoryMask?: AttentionRules['mask'];
  /** As `attentionMask`, for keys of memory: [B,Sm], non-zero attends. */
  memoryAttentionMask?: AttentionRules['attentionMask'];
}

/** What forward() of an encoder gives. `Maps`: one map, or one for each layer, the first layer first. */
export interface TransformerResult<W = boolean, O = undefined, Maps = NdArray> {
  /** Of x's shape. */
  output: Into<O>;
  /** Self-attention, [B,H,S,S]; undefined if `weights` is false. */
  weights: W extends true ? Maps : undefined;
}

/** What forward() of a decoder gives. */
export interface TransformerDecoderResult<W = boolean, O = undefined, Maps = NdArray>
  extends TransformerResult<W, O, Maps> {
  /** Attention to memory, [B,H,S,Sm]; undefined if `weights` is false. */
  crossWeights: W extends true ? Maps : undefined;
}

/** torch.nn.TransformerEncoderLayer in evaluation mode, batch first: a layer with its weights in WebAssembly memory. */
export interface TransformerEncoderLayer<Maps = NdArray> extends Disposable {
  /**
   * x [B,S,E] or [S,E] → output of x's shape. Rows of x that `attentionMask` excludes as keys are computed all the
   * same; torch's fast path gives zeros there.
   * @throws AttentionError SHAPE_MISMATCH; UNSUPPORTED_DTYPE; OUT_OF_MEMORY; DISPOSED.
   */
  forward<W extends boolean = false, O extends Out | undefined = undefined>(
    x: TensorLike,
    options?: TransformerOptions<W, O>,
  ): TransformerResult<NoInfer<W>, NoInfer<O>, Maps>;
  /** Gives the memory of the weights back; forward() then throws DISPOSED. May be called twice. */
  dispose(): void;
}

/** torch.nn.TransformerEncoder in evaluation mode, batch first. Its result has one map for each layer. */
export interface TransformerEncoder extends TransformerEncoderLayer<NdArray[]> {}

/** torch.nn.TransformerDecoderLayer in evaluation mode, batch first: a layer with its weights in WebAssembly memory. */
export interface TransformerDecoderLayer<Maps = NdArray> extends Disposable {
  /**
   * x [B,S,E] or [S,E], memory [B,Sm,E] or [Sm,E] (an encoder's output) → output of x's shape. Not causal unless
   * `causal` says so.
   * @throws AttentionError SHAPE_MISMATCH; UNSUPPORTED_DTYPE; OUT_OF_MEMORY; DISPOSED.
   */
  forward<W extends boolean = false, O extends Out | undefined = undefined>(
    x: TensorLike,
    memory: TensorLike,
    options?: TransformerDecoderOptions<W, O>,
  ): TransformerDecoderResult<NoInfer<W>, NoInfer<O>, Maps>;
  /** Gives the memory of the weights back; forward() then throws DISPOSED. May be called twice. */
  dispose(): void;
}

/** torch.nn.TransformerDecoder in evaluation mode, batch first. Its result has one map for each layer. */
export interface TransformerDecoder extends TransformerDecoderLayer<NdArray[]> {}
