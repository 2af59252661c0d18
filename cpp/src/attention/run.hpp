#pragma once

#include <array>

#include "attention/attention.hpp"

namespace attention {

/// Every tensor that a call reads: no result may overlap them.
inline std::array<TensorView, 7> inputsOf(const TensorView& query, const TensorView& key,
                                          const TensorView& value, const AttentionOptions& options) {
  return {query,
          key,
          value,
          options.mask.value_or(query),
          options.attentionMask.value_or(query),
          options.alibiSlopes.value_or(query),
          options.sinks.value_or(query)};
}

/// Room for the results of a plan, and the run.
Status runInto(const AttentionPlan& plan, std::span<const TensorView> inputs, AttentionOutputs& outputs,
               Arena& arena);

}  // namespace attention
