/** The words of other libraries, and the nearest right ones here: what errors suggest for a key or value nobody knows. */

/** Keys here, and what others call the same. A word of several rows means the first whose key the call knows. */
const keys: Readonly<Record<string, string>> = {
  // Attention: torch, transformers, ONNX, flash-attention, JAX.
  causal: 'is_causal causal_mask use_causal_mask unidirectional autoregressive',
  tokenTypeIds: 'segment_ids token_types',
  mask: 'attn_mask attention_mask attn_bias attention_bias bias position_bias block_mask mask_mod segment_ids',
  attentionMask: 'key_padding_mask src_key_padding_mask padding_mask pad_mask',
  scale: 'softmax_scale sm_scale attn_scale scaling scale_factor',
  softcap: 'logits_soft_cap logit_soft_cap logit_cap attn_logit_softcapping',
  window: 'window_size local_window_size left_window_size sliding_window attention_window',
  alibi: 'alibi_slopes use_alibi',
  sinks: 'learnable_sink sink_logits s_aux head_sink attention_sinks',
  kvLengths: 'cache_seqlens seqused_k kv_seqlens kv_lens seq_lens key_value_seq_lengths nonpad_kv_seqlen',
  queryOffset: 'q_offset start_pos cache_position past_sequence_length',
  cuSeqlensQ: 'cu_q_lens qo_indptr',
  cuSeqlensKv: 'cu_seqlens_k cu_kv_lens kv_indptr',
  weights:
    'need_weights output_attentions attention attentions attn_weights attention_weights return_attention return_attention_scores return_attn_probs qk_matmul_output_mode',
  averageWeights: 'average_attn_weights',
  logSumExp: 'lse softmax_lse return_lse return_softmax_lse return_logsumexp',
  layout: 'qkv_format input_layout tensor_layout',
  out: 'inplace',
  // Sizes.
  numHeads: 'heads nhead n_head n_heads num_attention_heads num_query_heads num_q_heads q_num_heads',
  numKvHeads:
    'kv_heads kv_num_heads n_kv_heads num_key_value_heads num_query_groups num_heads_kv heads nhead n_head num_heads',
  embedDim: 'd_model hidden_size n_embd embed_size embedding_dim dim',
  headDim: 'head_size dim_head d_head d_k dim',
  valueDim: 'v_head_dim v_head_size d_v',
  batch: 'batch_size max_batch_size',
  capacity: 'max_length max_len max_seq_len max_seqlen max_cache_len max_sequence_length',
  sinkTokens: 'num_sink_tokens sink_size n_sink attention_sinks',
  // Layers.
  axis: 'dim axes normalized_shape',
  epsilon: 'eps norm_eps layer_norm_eps rms_norm_eps variance_epsilon',
  activation: 'act act_fn hidden_act activation_function',
  base: 'theta rope_theta rope_base',
  dims: 'dim rotary_dim rotary_ndims rotary_embedding_dim',
  interleaved: 'traditional rotary_interleaved is_neox_style',
  positions: 'position_ids input_pos offset',
  scaling: 'rope_scaling',
  cos: 'cos_cache cos_cached',
  sin: 'sin_cache sin_cached',
  up: 'up_proj fc1 linear1 c_fc',
  down: 'down_proj fc2 linear2 c_proj',
  gate: 'gate_proj',
  query: 'q q_proj wq to_q',
  key: 'k k_proj wk to_k',
  value: 'v v_proj wv to_v',
  output: 'o o_proj out_proj wo to_out',
  pool: 'pooling reduction',
  size: 'resolution',
  // Models: transformers and transformers.js.
  attention: 'output_attentions need_weights weights attentions return_attention',
  hiddenStates: 'output_hidden_states return_hidden_states',
  cache: 'past_key_values past_key_value past_key past_value use_cache kv_cache',
  decoderIds: 'decoder_input_ids',
  logits: 'logits_to_keep num_logits_to_keep output_logits return_logits',
  ablateHeads: 'head_mask',
  pooling: 'pooling_mode pooling_strategy pool',
  normalize: 'normalise normalize_embeddings',
  maxNewTokens: 'max_length max_tokens n_predict num_predict',
  temperature: 'do_sample',
  seed: 'random_seed random_state manual_seed generator',
  stop: 'eos_token_id stop_token_ids stop_sequences stop_strings stopping_criteria',
  onToken: 'streamer stream callback callback_function',
  // Loading.
  threads: 'num_threads n_threads thread_count workers',
  wasm: 'wasm_paths wasm_path wasm_url wasm_binary locate_file',
  maximumMemoryBytes: 'memory memory_limit max_memory maximum_memory',
  signal: 'abort_signal',
};

/** What must be known beside a suggested key, by the word that was given. */
const remarks: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  attentionMask: { 'key_padding_mask src_key_padding_mask': 'There 1 attends, which is the opposite.' },
  mask: {
    'mask_mod block_mask': 'Give masks.fromFunction(f), or another rule of masks.',
    segment_ids: 'Give masks.documents(ids).',
    'bias attn_bias attention_bias position_bias': 'Floats are added to the scores.',
  },
  weights: { qk_matmul_output_mode: "0 is 'scores', 1 'softcapped', 2 'biased', 3 'probabilities'." },
  interleaved: { is_neox_style: 'False is the style of NeoX.' },
  maxNewTokens: { max_length: 'The prompt is not counted.' },
  temperature: { do_sample: 'Above 0 tokens are drawn.' },
  out: { inplace: 'Give out: x.' },
};

/** What there is nothing of here, and why. */
const absent: Readonly<Record<string, string>> = {
  'dropout dropout_p dropout_rate attn_dropout attention_dropout training':
    'there is no dropout, since nothing is trained here',
  'enable_gqa num_key_value_groups': 'there is no such switch: the shapes say which queries share keys',
  batch_first: 'there is no such switch: the batch always comes first',
  'add_bias_kv add_zero_attn': 'there is nothing of the kind',
  'past_key past_value past_key_value past_key_values use_cache kv_cache cache':
    'keys and values are kept by kvCache(), or by createCache() of a model',
  'score_mod mask_mod': 'there is no such function: mask, softcap and alibi change scores',
  'num_beams num_beam_groups': 'there is no beam search; KvCache.reorder() serves one of your own',
  'position_ids positions': 'positions follow from the tokens that attend, and from the cache',
  'max_seqlen_q max_seqlen_k max_seqlen_kv': 'the sums say which sequence is the longest',
  'input_ids inputs_embeds': 'token ids are the first argument',
  'device execution_providers backend': 'everything runs on the processor, in WebAssembly',
  proxy: "createAttentionWorker() of 'attention-wasm/worker' runs in a worker",
  return_dict: 'results always have names',
  attn_implementation: 'there is one implementation',
  bias: 'biases are weights of their own',
  data: 'this is a tensor, where an object with named values was wanted',
};

/** Values here, and what others call the same. */
const values: Readonly<Record<string, string>> = {
  float32: 'fp32 f32 float single torch.float32',
  float16: 'fp16 f16 half torch.float16',
  float64: 'fp64 f64 double torch.float64',
  int8: 'q8 i8 torch.int8',
  int32: 'i32 int torch.int32',
  int64: 'i64 long bigint64 torch.int64',
  bool: 'boolean torch.bool',
  BHSD: 'bnsh bhtd bnth',
  BSHD: 'bsnh bthd btnh',
  'upper-left': 'top_left',
  'lower-right': 'bottom_right',
  scores: '0 logits',
  softcapped: '1',
  biased: '2',
  probabilities: '3 probs softmax attention weights',
  mean: 'avg average',
  last: 'last_token lasttoken',
  silu: 'swish swiglu',
  gelu_tanh: 'gelu_new gelu_fast gelu_pytorch_tanh',
  'elu+1': 'elu',
  'relaxed-simd': 'relaxed',
  true: '1',
  false: '0',
};

/** Lists up to this long are shown whole. */
const shown = 8;

/** What an error says of a key that is not among `known`. */
export function onUnknownKey(key: string, known: readonly string[]): string {
  const near = same(key, known) ?? meant(keys, key, known);
  if (near !== undefined) {
    const remark = noteOn(remarks[near] ?? {}, key);
    return `unknown key (did you mean ${near}?${remark === undefined ? '' : ` ${remark}`})`;
  }
  const why = noteOn(absent, key);
  if (why !== undefined) return `unknown key: ${why}`;
  const [nearest, ...others] = byDistance(key, known);
  if (nearest && nearest.distance <= Math.max(2, key.length / 3)) return `unknown key (did you mean ${nearest.name}?)`;
  const ranked = known.length <= shown ? known : [nearest, ...others].slice(0, shown - 2).map((one) => one?.name);
  const rest = known.length - ranked.length;
  return `unknown key, wanted one of ${ranked.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** The value that was meant, as an error adds it; nothing where no word is near. */
export function onUnknownValue(value: unknown, allowed: readonly unknown[]): string {
  if (!['string', 'number', 'boolean'].includes(typeof value)) return '';
  const names = allowed.map(String);
  const name = same(String(value), names) ?? meant(values, String(value), names);
  if (name === undefined) return '';
  return ` (did you mean ${typeof allowed[names.indexOf(name)] === 'string' ? `'${name}'` : name}?)`;
}

/** Words differ by no more than capitals and underscores. */
const plain = (word: string): string => word.replace(/[_\-\s]/g, '').toLowerCase();

function same(word: string, known: readonly string[]): string | undefined {
  return known.find((one) => plain(one) === plain(word));
}

function meant(table: Readonly<Record<string, string>>, word: string, known: readonly string[]): string | undefined {
  return Object.keys(table).find((ours) => known.includes(ours) && has(table[ours] as string, word));
}

function noteOn(table: Readonly<Record<string, string>>, word: string): string | undefined {
  return Object.entries(table).find(([words]) => has(words, word))?.[1];
}

function has(words: string, word: string): boolean {
  return words.split(' ').some((one) => plain(one) === plain(word));
}

function byDistance(word: string, names: readonly string[]): { name: string; distance: number }[] {
  return names
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
}

/** Levenshtein, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
