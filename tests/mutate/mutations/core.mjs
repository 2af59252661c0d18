import { core } from './mutation.mjs';

/** Of attention in the core. */
export function inTheCore() {
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
    core(
      mask,
      'causal: a query does not see its own key',
      'if (causal) end = std::min(end, position + 1)',
      'if (causal) end = std::min(end, position)',
    ),
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
      'src/layers/panels.cpp',
      'panels: a part begins anywhere',
      'if (first % kPackedRows != 0)',
      'if (first % 1 != 0)',
      ['[linear]'],
    ),
    core('src/layers/panels.cpp', 'panels: a part begins beyond the weight', 'first <= sizes.outputs &&', 'true &&', [
      '[linear]',
    ]),
    core('src/layers/rollout.cpp', 'rollout: of any type', 'if (above) ATTENTION_', 'if (false) ATTENTION_', [
      '[positions]',
    ]),
    core(
      'src/attention/plan.cpp',
      'packed sequences: of any rank',
      'options.layout == Layout::kTHD && x.rank() != 3',
      'options.layout == Layout::kTHD && x.rank() > 4',
      ['[plan]'],
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
