/**
 * Ways to break the option handling, each a mistake that was or could well be made. `find` is in `file` exactly once;
 * `tests` are those that should notice: tags of Catch2 where `by` is 'cpp', files of Vitest where it is 'node'.
 */
export const mutations = [...inTheCore(), ...inCaches(), ...inTheWrapper(), ...inModels()];

function core(file, name, find, replace, tests = ['[mask]', '[random]']) {
  return { name, file: `cpp/${file}`, find, replace, by: 'cpp', tests };
}

function inTheCore() {
  const mask = 'src/attention/mask.cpp';
  const tile = 'src/attention/score_tile.hpp';
  const block = 'src/attention/query_block.hpp';
  const packed = 'src/attention/variable_length.cpp';
  const map = 'src/attention/attention_map.cpp';
  const random = ['[random]'];
  const maps = ['[map]'];
  return [
    core(mask, 'window: left edge off by one', 'position - window.left', 'position - window.left + 1'),
    core(mask, 'window: right edge off by one', 'position + window.right + 1)', 'position + window.right)'),
    core(
      mask,
      'window: left edge ignores the offset',
      'position - window.left',
      'static_cast<int64_t>(query) - window.left',
    ),
    core(mask, 'causal: a query does not see its own key', 'std::min(end, position + 1)', 'std::min(end, position)'),
    core(mask, 'causal: ignored beside a dense mask', 'if (causal) end =', 'if (causal && !dense) end ='),
    core(
      mask,
      'lower-right ignores kvLengths',
      'return static_cast<int64_t>(validKeys(batch)) -',
      'return static_cast<int64_t>(sequences.keysOf(batch)) -',
      random,
    ),
    core(
      mask,
      'kvLengths ignored beside causal',
      'std::min(columns.end, validKeys(batch))',
      'std::min(columns.end, causal ? sequences.keysOf(batch) : validKeys(batch))',
      random,
    ),
    core(mask, 'queryOffset of batch entry 0 used for all', ': offsets[batch];', ': offsets[batch * 0];', random),
    core(
      mask,
      'attentionMask of batch entry 0 used for all',
      'Range columns, float* bias) {\n  const size_t start = batch * mask.strides[0]',
      'Range columns, float* bias) {\n  const size_t start = batch * 0',
      random,
    ),
    core(
      mask,
      'a short last axis is padded with "attends"',
      'std::fill(bias + known, bias + columns.size(), kMasked);',
      'std::fill(bias + known, bias + columns.size(), 0.0f);',
      random,
    ),
    core(
      mask,
      'masked is a large negative number: empty rows become the mean',
      'kMasked = -std::numeric_limits<float>::infinity()',
      'kMasked = std::numeric_limits<float>::lowest()',
    ),
    core(
      'src/attention/plan_rules.cpp',
      'a last axis of 1 is padded instead of broadcast',
      'if (axis == 3 && got != 1) denseKeys',
      'if (axis == 3) denseKeys',
      random,
    ),
    core(
      'src/attention/plan_rules.cpp',
      'a rank-3 mask reads as one per batch entry',
      '  plan->mask.dense = view;\n',
      '  if (mask.rank() == 3 && plan->batch <= plan->heads) std::swap(view.strides[0], view.strides[1]);\n' +
        '  plan->mask.dense = view;\n',
      random,
    ),
    core(
      'src/attention/block_map.cpp',
      'block map: bits of the row below',
      'query % kBlock * (kBlock / 32)',
      '(query + 1) % kBlock * (kBlock / 32)',
    ),
    core(
      'src/attention/block_map.cpp',
      'block map: rows of head 0 for every head',
      'static_cast<size_t>(planes_[plane]) + query / kBlock',
      'static_cast<size_t>(planes_[plane / heads_ * heads_]) + query / kBlock',
      random,
    ),
    core(
      tile,
      'masking by position alone stops at the first key that is seen',
      'std::fill(row(r) + (seen.end - keys.begin), row(r) + keys.size(),',
      'std::fill(row(r) + keys.size(), row(r) + keys.size(),',
      random,
    ),
    core(tile, 'softcap ignored', 'plan_.softcap != 0)', 'plan_.softcap < 0)', random),
    core(tile, "'scores' shown after the softcap", 'if (upTo != Stage::kScores && plan_.', 'if (plan_.', random),
    core(
      tile,
      'softcap after ALiBi and the masks',
      `    if (upTo != Stage::kScores && plan_.softcap != 0) {
      for (size_t r = 0; r < tile.size(); ++r) {
        kernels::softcapRow<Arch>(row(r), padded(keys), plan_.softcap);
      }
    }
    if (upTo == Stage::kBiased && plan_.alibi) addDistances(tile, keys);
    endRows(tile, keys);
    return upTo != Stage::kBiased || mask(tile, keys);
`,
      `    if (upTo == Stage::kBiased && plan_.alibi) addDistances(tile, keys);
    endRows(tile, keys);
    const bool isFull = upTo != Stage::kBiased || mask(tile, keys);
    if (upTo != Stage::kScores && plan_.softcap != 0) {
      for (size_t r = 0; r < tile.size(); ++r) {
        kernels::softcapRow<Arch>(row(r), padded(keys), plan_.softcap);
      }
    }
    return isFull;
`,
      random,
    ),
    core(tile, 'factors of int8 keys dropped', 'if (plan_.keyScales) scale', 'if (false) scale', [
      '[stored]',
      '[random]',
    ]),
    core(block, 'factors of int8 values dropped', 'if (plan_.valueScales) scores_', 'if (false) scores_', ['[stored]']),
    core(tile, 'ALiBi ignores the offset', ' + plan_.mask.offset(rows_.batch);', ';', random),
    core('src/kernels/score_rows.hpp', 'ALiBi raises what is far', 'negated(-slope)', 'negated(slope)', random),
    core(block, 'sinks left out of the denominator', '? 0.0f : 1.0f, 0.0f};', '? 0.0f : 0.0f, 0.0f};', random),
    core(
      block,
      'sinks left out of the maximum',
      'state(row) = {sink, ',
      'state(row) = {kernels::kNegativeInfinity, ',
      random,
    ),
    core(
      block,
      "logSumExp of an empty row without its head's sink",
      'if (row.sum != 0.0f) {',
      'if (row.attends != 0.0f) {',
      random,
    ),
    core(
      block,
      'NaN behind a mask reaches the output',
      'if (full || valuesAreFinite()) {',
      'if (full || valuesAreFinite() || true) {',
      ['[fused]'],
    ),
    core(
      'src/attention/plan_rules.cpp',
      'ALiBi: extra heads go on where the others end',
      'isExtra ? 2 * (head - power) : head',
      'isExtra ? head : head',
      ['[positions]'],
    ),
    core(
      'src/attention/plan.cpp',
      'the default scale is 1/D',
      '1.0f / std::sqrt(static_cast<float>(q.size))',
      '1.0f / static_cast<float>(q.size)',
      ['[fused]'],
    ),
    core(
      packed,
      'packed sequences: keys begin where queries do',
      'longest(keyStarts), queryStarts, keyStarts}',
      'longest(keyStarts), queryStarts, queryStarts}',
      ['[variable]'],
    ),
    core(
      map,
      'attentionMap: a cell begins one row early',
      'index - range.begin + 1;',
      'index - range.begin + 2;',
      maps,
    ),
    core(map, 'attentionMap: the mean counts rows alone', ' * static_cast<double>(columns_.sizeOf(c))', '', maps),
    core(map, 'attentionMap: max loses NaN', 'kernels::largerOrNaN(cell, value)', 'std::max(cell, value)', maps),
    core(
      block,
      'attentionMap: the given logSumExp is not divided by',
      'state(row) = {value, 1.0f,',
      'state(row) = {0 * value, 1.0f,',
      maps,
    ),
    // Last, as everything includes this file: putting it back would build everything once more.
    core(
      'include/attention/attention.hpp',
      'grouped heads: key heads taken in turn',
      'return head * kvHeads / heads;',
      'return head % kvHeads;',
      ['[fused]'],
    ),
  ];
}

function wrapper(file, tests, name, find, replace) {
  return { name, file: `web/src/${file}`, find, replace, by: 'node', tests: tests.map((one) => `tests/web/${one}`) };
}

function inTheWrapper() {
  const options = ['attention-options.test.ts'];
  const maskRules = ['masks-rules.test.ts'];
  const rulesInCalls = ['masks-attention.test.ts'];
  const maps = ['attention-map.test.ts'];
  const layer = ['multi-head.test.ts'];
  const errors = ['errors.test.ts'];
  return [
    wrapper(
      'rules.ts',
      options,
      'window: left and right swapped',
      '      left,\n      right,\n',
      '      right,\n      left,\n',
    ),
    wrapper(
      'rules.ts',
      options,
      "causal: 'upper-left' and 'lower-right' swapped",
      "true, 'upper-left', 'lower-right']",
      "true, 'lower-right', 'upper-left']",
    ),
    wrapper('rules.ts', options, 'alibi: true ignored', 'alibi === true ? 1 : 0', '0'),
    wrapper('rules.ts', options, 'softcap dropped', '      softcapOf(options.softcap),\n', '      0,\n'),
    wrapper('rules.ts', options, 'sinks dropped', "operand('options.sinks', sinks)", 'undefined'),
    wrapper(
      'rules.ts',
      ['attention-masks.test.ts'],
      "mask and attentionMask in each other's place",
      `      mask === undefined || isMask(mask) ? undefined : maskOperand(mask),
      ifGiven(options.attentionMask, (given) => operand('options.attentionMask', given)),
`,
      `      ifGiven(options.attentionMask, (given) => operand('options.attentionMask', given)),
      mask === undefined || isMask(mask) ? undefined : maskOperand(mask),
`,
    ),
    wrapper(
      'rules.ts',
      ['attention-shapes.test.ts'],
      'numKvHeads dropped',
      "numKvHeads: optionalCount('options.numKvHeads', options.numKvHeads)",
      'numKvHeads: 0',
    ),
    wrapper(
      'rules.ts',
      ['attention-float64-masks.test.ts'],
      'a float64 mask below the smallest float32 masks',
      'Math.min(Math.max(value, -largest), largest)',
      'value',
    ),
    wrapper(
      'arguments.ts',
      errors,
      'unknown option keys accepted',
      'if (!known.includes(key)) {',
      'if (!known.includes(key)) {\n      continue;',
    ),
    wrapper('call-shape.ts', rulesInCalls, 'queryOffset ignored by mask rules', '?? shared ?? standard', '?? standard'),
    wrapper(
      'call-shape.ts',
      rulesInCalls,
      'mask rules stand at the queryOffset of batch entry 0',
      'offsets?.[b] ??',
      'offsets?.[0] ??',
    ),
    wrapper(
      'call-shape.ts',
      rulesInCalls,
      "mask rules beside 'lower-right' without kvLengths",
      '(lengths?.[b] ?? keys) - queries',
      'keys - queries',
    ),
    wrapper(
      'call-shape.ts',
      ['variable-length.test.ts'],
      'mask rules of packed sequences counted from the first key of all',
      'keys: (keyStarts[b + 1] as number) - (keyStarts[b] as number),',
      'keys: keyStarts[b + 1] as number,',
    ),
    wrapper('attend.ts', options, 'logSumExp given back in place of weights', 'results.copy(1)', 'results.copy(2)'),
    wrapper('masks/mask.ts', maskRules, 'not() gives the mask itself', 'complement(this.#rule)', 'this.#rule'),
    wrapper('masks/mask.ts', maskRules, 'and() is or()', 'intersection(this.#rule,', 'union(this.#rule,'),
    wrapper('masks/combine.ts', maskRules, 'or(): one empty rule decides', "decisive: 'full'", "decisive: 'empty'"),
    wrapper(
      'masks/intervals.ts',
      maskRules,
      'slidingWindow: right edge off by one',
      '=> query + right + 1',
      '=> query + right',
    ),
    wrapper(
      'masks/intervals.ts',
      maskRules,
      'prefixLM: the shorter of both',
      'Math.max(prefix, query + 1)',
      'Math.min(prefix, query + 1)',
    ),
    wrapper('masks/dense.ts', maskRules, 'dense goes by positions', 'query - extent.offset', 'query'),
    wrapper(
      'masks/documents.ts',
      maskRules,
      'documents see the documents before them',
      'ids[key] === id',
      '(ids[key] as number) <= (id as number)',
    ),
    wrapper(
      'masks/from-function.ts',
      maskRules,
      'fromFunction: head 0 asked for every head',
      'const h = perHead ? head : 0;',
      'const h = 0;',
    ),
    wrapper(
      'map-options.ts',
      maps,
      'attentionMap: rows and columns of size swapped',
      "pair('options.size', size, 1)",
      "pair('options.size', size, 1).reverse()",
    ),
    wrapper(
      'map-options.ts',
      maps,
      'attentionMap: max and mean swapped',
      "['max', 'mean'] as const",
      "['mean', 'max'] as const",
    ),
    wrapper('multi-head.ts', layer, 'averageWeights adds up', 'sum / heads', 'sum'),
    wrapper(
      'multi-head.ts',
      layer,
      'value defaults to the query',
      'value === undefined ? keys :',
      'value === undefined ? x :',
    ),
    wrapper(
      'state-dict.ts',
      layer,
      'in_proj: key and value in each other’s place',
      'const [q, k, v] = projections();',
      'const [q, v, k] = projections();',
    ),
  ];
}

function inCaches() {
  const cache = (file, name, find, replace) => core(`src/attention/${file}`, name, find, replace, ['[cache]']);
  const store = 'src/kernels/store_row.hpp';
  const plain = ['kv-cache.test.ts'];
  return [
    cache(
      'kv_cache.cpp',
      'cache: takes one key too many',
      'added > config_.capacity - length_',
      'added > config_.capacity - length_ + 1',
    ),
    cache('kv_cache.cpp', 'cache: a shared page is written', 'ownersOf(page) == 1', 'ownersOf(page) >= 1'),
    cache(
      'kv_cache.cpp',
      'cache: evicts one key more',
      'heldFrom_, length_ - others)',
      'heldFrom_, length_ - others + 1)',
    ),
    cache('kv_cache.cpp', 'cache: truncated positions stay evicted', 'heldFrom_ = std::min(heldFrom_, length);', ''),
    cache('kv_cache.cpp', 'cache: reorder does nothing', 'static_cast<size_t>(batch[entry])))', 'entry))'),
    cache(
      'kv_cache.cpp',
      'cache: values in the place of keys',
      'b, h, s, layout_.valuesAt, layout_.valueScalesAt',
      'b, h, s, 0, layout_.keyScalesAt',
    ),
    cache(
      'kv_bytes.cpp',
      'cache: changed bytes are loaded',
      'if (sum != checksum(body))',
      'if (sum + 0 * checksum(body) != sum)',
    ),
    cache(
      'mask.cpp',
      'cache: the window is one key shorter',
      'position + 1 - static_cast<int64_t>(stream.window)',
      'position + 2 - static_cast<int64_t>(stream.window)',
    ),
    cache('mask.cpp', 'cache: sinks leave the window', ' && columns.begin >= stream.sinks', ''),
    cache(
      'query_block.hpp',
      'cache: keys are read beyond a page',
      'std::min(end, plan_.pages.endOfPage(keys.begin))',
      'end',
    ),
    core(store, 'int8: a row has the factor of 1', 'largest / 127.0f + doubt', '1.0f + doubt', ['[cache]', '[linear]']),
    wrapper(
      'kv-cache.ts',
      plain,
      'cache: attend is not causal',
      'options.causal ?? appends',
      'options.causal ?? false',
    ),
    wrapper('kv-cache.ts', plain, 'cache: queries stand at 0', '? undefined : length);', '? undefined : 0);'),
    wrapper(
      'kv-cache.ts',
      ['kv-cache-hostile.test.ts'],
      'cache: a rule may change it',
      'if (this.length === length) return address;',
      'if (length >= 0) return address;',
    ),
  ];
}

function inModels() {
  const changes = ['model-changes.test.ts'];
  const files = (family) => [`model-${family}.test.ts`];
  return [
    wrapper('models/stack.ts', changes, 'model: temperature ignored', ' * temperature),', '),'),
    wrapper(
      'models/stack.ts',
      changes,
      'model: another head is ablated',
      'let at = head * headDim;',
      'let at = 0 * head;',
    ),
    wrapper(
      'models/stack.ts',
      files('gpt2'),
      'model: the final norm is left out',
      'if (stack.finalNorm) run',
      'if (stack.finalNorm && !stack.causal) run',
    ),
    wrapper(
      'models/layer-options.ts',
      changes,
      'model: the first layer’s mask is for all',
      'mask.map((one) => one ?? undefined)',
      'mask.map(() => mask[0] ?? undefined)',
    ),
    wrapper(
      'models/embedding.ts',
      ['model-options.test.ts'],
      'model: padding counts as a position',
      'if (attends === 0) return',
      'if (attends < 0) return',
    ),
    wrapper(
      'models/cache.ts',
      ['model-cache-errors.test.ts', 'generate-cache.test.ts'],
      'model: a failed call changes a cache',
      'const next = this.fork();',
      'const next = this as LayerCaches;',
    ),
    wrapper('models/sampling.ts', ['sampling.test.ts'], 'generate: topK ignored', 'ids.subarray(0, topK)', 'ids'),
    wrapper(
      'models/sampling.ts',
      ['sampling.test.ts'],
      'generate: the seed ignored',
      'const key = mix(seed);',
      'const key = mix(0 * seed);',
    ),
    wrapper(
      'models/generate.ts',
      ['generate.test.ts'],
      'generate: the stop id is given too',
      'if (stop.has(id)) break;\n    ids.push(id);',
      'ids.push(id);\n    if (stop.has(id)) break;',
    ),
    wrapper(
      'models/weights.ts',
      files('gpt2'),
      'model: Conv1D is not turned',
      'weight.data[k * outputs + n]',
      'weight.data[n * inputs + k]',
    ),
    wrapper(
      'models/marian.ts',
      files('marian'),
      'model: sines and cosines in turns',
      '(column % 2 === 0 ? 0 : half) + Math.floor(column / 2)',
      'column',
    ),
    wrapper(
      'models/llama.ts',
      files('llama'),
      'model: biases of attention left out',
      "config.flag('attention_bias', false)",
      "config.flag('attention_bias', false) && false",
    ),
    wrapper(
      'models/config.ts',
      ['model-llama.test.ts'],
      'model: unknown keys of a config accepted',
      "throw new AttentionError('INVALID_ARGUMENT', name(key), 'is an option that this version does not know');",
      'continue;',
    ),
  ];
}
