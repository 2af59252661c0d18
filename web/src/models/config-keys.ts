/** Keys of Hugging Face's config.json that no family reads, by why they change nothing of what a model computes here. */
const inert = [
  // Who made the file, from what, by which version
  '_name_or_path _commit_hash architectures auto_map model_type name language transformers_version',
  'export_model_type transformers.js_config sentence_transformers adapters custom_pipelines',
  // How the weights are stored, and attention is run elsewhere: the tensors say their own types
  'torch_dtype dtype use_bfloat16 torchscript xla_device pruned_heads chunk_size_feed_forward pretraining_tp',
  '_attn_implementation attn_implementation _attn_implementation_autoset _attn_implementation_internal',
  'use_flash_attention use_flash_attn _flash_attn_2_enabled',
  // Training and losses
  'initializer_range initializer_factor init_std gradient_checkpointing neftune_noise_alpha',
  'loss_function loss_type tf_legacy_loss vocab_size_or_config_json_file',
  // What a call gives beside its result, and whether it keeps a cache
  'use_cache cache_implementation return_dict output_attentions output_hidden_states output_past',
  // Ids and sizes of the tokenizer, but for those that a family reads
  'bos_token_id eos_token_id eos_token_ids pad_token_id sep_token_id cls_token_id unk_token_id mask_token_id',
  'decoder_start_token_id model_max_length max_sequence_length',
  // Heads of tasks and poolings that are not read: names of labels, and a pooler of BERT that no code has any more
  'id2label label2id num_labels _num_labels problem_type finetuning_task task_specific_params',
  'predict_special_tokens n_special add_pooling_layer sbert_ce_default_activation_function emb_size',
  'matryoshka_dimensions directionality pooler_type pooler_fc_size pooler_num_fc_layers',
  'pooler_num_attention_heads pooler_size_per_head',
  // Encoder and decoder: the family says it; extra positions are those of learned tables
  'is_encoder_decoder tie_encoder_decoder extra_pos_embeddings',
  // How generate() of transformers searches and samples unless it is told: here its options tell it
  'max_length max_new_tokens do_sample early_stopping num_beams num_beam_groups num_return_sequences',
  'temperature top_k top_p min_p typical_p epsilon_cutoff eta_cutoff top_h length_penalty diversity_penalty',
  'low_memory output_scores output_logits return_dict_in_generate remove_invalid_values renormalize_logits',
  'forced_eos_token_id max_time prefix',
]
  .join(' ')
  .split(' ');
/** Dropout does nothing unless a model is trained; GPT-2's summaries are of heads that are not read; tools leave notes. */
const inertPattern = /dropout|pdrop$|layerdrop|^summary_|^unsloth_|^tokenizer_/;

/** What changes which tokens are written, and what it is if it changes none; of generate() alone. */
const generation: Readonly<Record<string, unknown>> = {
  repetition_penalty: 1,
  encoder_repetition_penalty: 1,
  no_repeat_ngram_size: 0,
  encoder_no_repeat_ngram_size: 0,
  min_length: 0,
  min_new_tokens: 0,
  guidance_scale: 1,
  penalty_alpha: 0,
  forced_bos_token_id: null,
  forced_decoder_ids: null,
  suppress_tokens: null,
  begin_suppress_tokens: null,
  bad_words_ids: null,
  force_words_ids: null,
  constraints: null,
  sequence_bias: null,
  exponential_decay_length_penalty: null,
  stop_strings: null,
  watermarking_config: null,
};

const inertKeys = new Set(inert);

/** Whether a key that no family has read changes nothing. What is null, false or empty asks for nothing. */
export function isInert(key: string, value: unknown): boolean {
  if (inertKeys.has(key) || inertPattern.test(key) || Object.hasOwn(generation, key) || isNothing(value)) return true;
  return key === 'layer_types' && Array.isArray(value) && value.every((type) => type === 'full_attention');
}

/** Keys of a config that ask generate() for something. */
export function generationKeys(config: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(generation).filter((key) => !isNothing(config[key]) && config[key] !== generation[key]);
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
