#include <algorithm>
#include <utility>

#include "plan_rules.hpp"
#include "run.hpp"

namespace attention {

namespace {

/// Prefix sums from 0 to the number of rows.
Status checkStarts(const char* argument, std::span<const int32_t> starts, size_t rows) {
  const auto size = [](size_t value) { return static_cast<int64_t>(value); };
  if (starts.empty())
    return invalidArgument(argument, Message() << "got no values, wanted prefix sums [B+1]");
  int32_t before = 0;
  for (size_t b = 0; b < starts.size(); ++b) {
    if (starts[b] < before || (b == 0 && starts[0] != 0)) {
      return invalidArgument(argument, Message() << "got " << starts[b] << " after " << before << " at index "
                                                 << size(b) << ", wanted prefix sums that rise from 0");
    }
    before = starts[b];
  }
  if (size(rows) == before) return {};
  return shapeMismatch(argument, Message() << "got a last value of " << before << ", wanted " << size(rows)
                                           << ", the number of rows");
}

size_t longest(std::span<const int32_t> starts) {
  int32_t most = 0;
  for (size_t b = 0; b + 1 < starts.size(); ++b) most = std::max(most, starts[b + 1] - starts[b]);
  return static_cast<size_t>(most);
}

}  // namespace

Status planVariableLength(const TensorView& query, const TensorView& key, const TensorView& value,
                          std::span<const int32_t> queryStarts, std::span<const int32_t> keyStarts,
                          const AttentionOptions& options, AttentionPlan* plan) {
  if (options.weights != Stage::kNone) {
    return invalidArgument("options.weights", Message() << "got it for packed sequences, wanted none");
  }
  for (const auto& [name, scales] : {std::pair{"options.keyScales", &options.keyScales},
                                     std::pair{"options.valueScales", &options.valueScales}}) {
    if (*scales) return invalidArgument(name, Message() << "got it for packed sequences, wanted none");
  }
  if (query.rank() != 3) {
    return shapeMismatch("q", Message() << "got shape " << query.shape.dims() << ", wanted [Tq,H,D]");
  }
  AttentionOptions shapes;
  shapes.layout = Layout::kTHD;
  shapes.numHeads = options.numHeads;
  shapes.numKvHeads = options.numKvHeads;
  shapes.scale = options.scale;
  shapes.logSumExp = options.logSumExp;
  ATTENTION_RETURN_IF_ERROR(planAttention(query, key, value, shapes, plan));
  ATTENTION_RETURN_IF_ERROR(checkStarts("options.cuSeqlensQ", queryStarts, query.shape[0]));
  ATTENTION_RETURN_IF_ERROR(checkStarts("options.cuSeqlensKv", keyStarts, key.shape[0]));
  if (queryStarts.size() != keyStarts.size()) {
    return shapeMismatch("options.cuSeqlensKv", Message() << "got " << static_cast<int64_t>(keyStarts.size())
                                                          << " values, wanted as many as cuSeqlensQ has, "
                                                          << static_cast<int64_t>(queryStarts.size()));
  }
  plan->batch = queryStarts.size() - 1;
  plan->mask.sequences = {longest(queryStarts), longest(keyStarts), queryStarts, keyStarts};
  // Sequences lie one behind the other: their first rows are counted, not stepped over.
  plan->query.strides[0] = plan->key.strides[0] = plan->value.strides[0] = 0;
  plan->logSumExpShape = {plan->heads, query.shape[0]};
  return planRules(options, plan);
}

Status variableLengthAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                               std::span<const int32_t> queryStarts, std::span<const int32_t> keyStarts,
                               const AttentionOptions& options, AttentionOutputs& outputs, Arena& arena) {
  AttentionPlan plan;
  ATTENTION_RETURN_IF_ERROR(planVariableLength(query, key, value, queryStarts, keyStarts, options, &plan));
  return runInto(plan, inputsOf({query, key, value}, options), outputs, arena);
}

}  // namespace attention
