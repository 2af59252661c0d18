import { engineOf } from './attention.js';
import { readConfig, transformer } from './transformer.js';
import { readTransformer, type TorchModule } from './transformer-dict.js';
import type {
  Attention,
  StateDict,
  TransformerConfig,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from './types.js';

/**
 * The layer of torch.nn.TransformerEncoderLayer (Vaswani et al. 2017, 3.1) by its state dict: self_attn.*, linear1.*,
 * linear2.*, norm1.* and norm2.*. Batch first. One prefix that all names share, such as `module.`, is skipped. The
 * weights are copied into the engine's memory; dispose() gives them back.
 *
 * The shapes of the state dict say E and F, its names say whether there are biases. The config says what it cannot.
 *
 * @throws AttentionError INVALID_ARGUMENT naming every name that is missing or that the module does not have;
 * SHAPE_MISMATCH and UNSUPPORTED_DTYPE naming the weight; OUT_OF_MEMORY; DISPOSED. Nothing stays in memory then.
 */
export function transformerEncoderLayer(
  attention: Attention,
  config: TransformerConfig,
  stateDict: StateDict,
): TransformerEncoderLayer {
  return load('TransformerEncoderLayer', attention, config, stateDict) as TransformerEncoderLayer;
}

/**
 * The layer of torch.nn.TransformerDecoderLayer (Vaswani et al. 2017, 3.1) by its state dict: the names of the encoder
 * layer, multihead_attn.* for the attention to the encoder's output, and norm3.*. Else as transformerEncoderLayer().
 *
 * @throws AttentionError as transformerEncoderLayer().
 */
export function transformerDecoderLayer(
  attention: Attention,
  config: TransformerConfig,
  stateDict: StateDict,
): TransformerDecoderLayer {
  return load('TransformerDecoderLayer', attention, config, stateDict) as TransformerDecoderLayer;
}

/**
 * torch.nn.TransformerEncoder by its state dict: the layers layers.0.*, layers.1.* and so on, one after the other, then
 * the LayerNorm norm.* if it is there. Of a whole torch.nn.Transformer pass the names that begin with `encoder.`. Else
 * as transformerEncoderLayer().
 *
 * @throws AttentionError as transformerEncoderLayer().
 */
export function transformerEncoder(
  attention: Attention,
  config: TransformerConfig,
  stateDict: StateDict,
): TransformerEncoder {
  return load('TransformerEncoder', attention, config, stateDict) as TransformerEncoder;
}

/**
 * torch.nn.TransformerDecoder by its state dict. Else as transformerEncoder() and transformerDecoderLayer().
 *
 * @throws AttentionError as transformerEncoderLayer().
 */
export function transformerDecoder(
  attention: Attention,
  config: TransformerConfig,
  stateDict: StateDict,
): TransformerDecoder {
  return load('TransformerDecoder', attention, config, stateDict) as TransformerDecoder;
}

function load(module: TorchModule, attention: Attention, given: TransformerConfig, stateDict: StateDict): unknown {
  const engine = engineOf(attention);
  const config = readConfig(given);
  return transformer(attention, engine, config, readTransformer(engine, module, stateDict));
}
