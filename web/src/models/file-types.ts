import type { TensorLike } from '../types.js';

/**
 * A tensor of a .safetensors file, with its values as the file stores them. It may be given wherever a TensorLike may.
 * The values are a view into the file's bytes if they are aligned there, and a copy if not.
 */
export interface FileTensor {
  /** Row-major values. F16 and BF16 are their bits in a Uint16Array, which `dtype` tells apart. */
  readonly data: Float32Array | Float64Array | Uint16Array | Int32Array | Int8Array | Uint8Array | BigInt64Array;
  /** Sizes, the outermost axis first. */
  readonly shape: readonly number[];
  /** Element type of the file: F64, F32, F16, BF16, I64, I32, I8, U8 and BOOL by these names. */
  readonly dtype: 'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';
}

/** How createModel() reads a checkpoint. */
export interface CreateModelOptions {
  /** How linear weights are kept: 'float32' by default, or 'int8'. */
  weights?: 'float32' | 'int8';
  /**
   * Keys of config.json that are left out, although this version does not know them or does not do what they ask of
   * generate(). None by default. A key that the family reads, or that config.json does not have, is INVALID_ARGUMENT.
   */
  ignore?: readonly string[];
}

/** The files of a Hugging Face checkpoint that make a model. */
export interface ModelFiles {
  /**
   * Hugging Face's config.json, parsed. model_type is bert, distilbert, roberta, gpt2, llama, vit or marian. Another one
   * is INVALID_ARGUMENT, and so are options that are not built, and keys that this version does not know: one error
   * names all of those.
   */
  config: {
    /**
     * The family: BERT (Devlin et al. 2018, arXiv:1810.04805), DistilBERT (Sanh et al. 2019, arXiv:1910.01108), RoBERTa
     * (Liu et al. 2019, arXiv:1907.11692), GPT-2 (Radford et al. 2019), Llama (Touvron et al. 2023, arXiv:2302.13971),
     * ViT (Dosovitskiy et al. 2021, arXiv:2010.11929), Marian (Junczys-Dowmunt et al. 2018, arXiv:1804.00344). If it is
     * absent, the class in `architectures` says it.
     */
    readonly model_type?: string;
    readonly [key: string]: unknown;
  };
  /**
   * Tensors by their Hugging Face names, with or without the leading 'bert.', 'transformer.', 'model.', 'vit.'; or the
   * bytes of one .safetensors file. They are float32, float16, bfloat16 or float64. A missing one is INVALID_ARGUMENT,
   * and so is one of a layer that the model does not compute with; one of another shape is SHAPE_MISMATCH. Of tied
   * embeddings and logits a file may hold one or both; a head of its own values is used.
   */
  tensors: Readonly<Record<string, TensorLike>> | ArrayBuffer | Uint8Array;
}
