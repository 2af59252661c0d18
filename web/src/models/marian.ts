import { invalid } from '../errors.js';
import type { Attention, Tensor } from '../types.js';
import { divisor } from './bert.js';
import type { Config } from './config.js';
import type { Block, Checkpoint, Projections, Stack, TokenEmbedding } from './parts.js';
import { feedForward, type Weights } from './weights.js';

/** Junczys-Dowmunt et al. 2018: the transformer of Vaswani et al. 2017, translating. */
export function marian(config: Config, attention: Attention): (weights: Weights) => Checkpoint {
  config.only('normalize_before', false);
  config.only('normalize_embedding', false);
  config.only('add_final_layer_norm', false);
  config.only('add_bias_logits', false);
  config.only('static_position_embeddings', true);
  config.only('share_encoder_decoder_embeddings', true);
  config.only('tie_word_embeddings', true);
  config.only('is_encoder_decoder', true);
  config.ignore('num_hidden_layers', 'save_step');
  const e = config.size('d_model');
  const heads = divisor(config, 'decoder_attention_heads', e);
  const encoderHeads = divisor(config, 'encoder_attention_heads', e);
  const [encoderLayers, decoderLayers] = [config.size('encoder_layers'), config.size('decoder_layers')];
  const [encoderSize, decoderSize] = [config.size('encoder_ffn_dim'), config.size('decoder_ffn_dim')];
  const vocabulary = config.size('vocab_size');
  config.only('decoder_vocab_size', vocabulary);
  const maxLength = config.size('max_position_embeddings', 1024);
  const activation = config.activation('activation_function', 'gelu');
  const scale = config.flag('scale_embedding', false) ? Math.sqrt(e) : 1;
  const paddingId = config.id('pad_token_id', vocabulary - 1);
  const start = config.id('decoder_start_token_id', paddingId);
  if (start >= vocabulary) throw invalid('files.config.decoder_start_token_id', start, `0..${vocabulary - 1}`);
  const ends = config.textEnds();

  const project = (weights: Weights, at: string): Projections => ({
    query: weights.linear(`${at}.q_proj`, e, e),
    key: weights.linear(`${at}.k_proj`, e, e),
    value: weights.linear(`${at}.v_proj`, e, e),
    output: weights.linear(`${at}.out_proj`, e, e),
  });
  const norm = (weights: Weights, name: string) => weights.norm(name, e, 1e-5);
  const block = (weights: Weights, at: string, hiddenSize: number, isDecoder: boolean): Block => ({
    attention: project(weights, `${at}.self_attn`),
    attentionNorm: norm(weights, `${at}.self_attn_layer_norm`),
    ...(isDecoder && {
      cross: project(weights, `${at}.encoder_attn`),
      crossNorm: norm(weights, `${at}.encoder_attn_layer_norm`),
    }),
    feedForward: feedForward(weights.linear(`${at}.fc1`, hiddenSize, e), weights.linear(`${at}.fc2`, e, hiddenSize)),
    feedForwardNorm: norm(weights, `${at}.final_layer_norm`),
  });
  const sizes = { embedSize: e, normFirst: false, activation };
  return (weights) => {
    const names = ['shared.weight', 'encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'] as const;
    const { words, head } = weights.wordsAndHead(names, [vocabulary, e], true);
    const positions = weights.own(halves(attention, maxLength, e));
    const tokens: TokenEmbedding = { vocabulary, maxLength, words, scale, positions };
    const stack = (of: 'encoder' | 'decoder', layers: number, headCount: number, hiddenSize: number): Stack => ({
      blocks: Array.from({ length: layers }, (_, index) =>
        block(weights, `${of}.layers.${index}`, hiddenSize, of === 'decoder'),
      ),
      heads: headCount,
      kvHeads: headCount,
      headDim: e / headCount,
      causal: of === 'decoder',
      ...sizes,
    });
    return {
      type: 'marian',
      tokens,
      encoder: stack('encoder', encoderLayers, encoderHeads, encoderSize),
      stack: stack('decoder', decoderLayers, heads, decoderSize),
      head: { ...head, bias: weights.vector('final_logits_bias', vocabulary) },
      ...ends,
      start,
      never: [...ends.never, paddingId],
    };
  };
}

/** Sinusoidal positions with all sines before all cosines, as the checkpoints were trained with. */
function halves(attention: Attention, length: number, size: number): Tensor<'float32'> {
  const { data } = attention.sinusoidalPositions(length, size);
  const half = Math.ceil(size / 2);
  const sorted = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += size) {
    for (let column = 0; column < size; column++) {
      const to = (column % 2 === 0 ? 0 : half) + Math.floor(column / 2);
      sorted[row + to] = data[row + column] as number;
    }
  }
  return attention.tensor({ data: sorted, shape: [length, size] });
}
