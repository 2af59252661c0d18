#pragma once

#include <algorithm>
#include <array>

#include "attention/attention.hpp"

namespace attention {

/// Every tensor that a call reads, its own and those of the options: no result may overlap them.
template <size_t kOwn>
std::array<TensorView, kOwn + 6> inputsOf(const TensorView (&own)[kOwn], const AttentionOptions& options) {
  std::array<TensorView, kOwn + 6> inputs;
  auto rest = std::copy(own, own + kOwn, inputs.begin());
  for (const auto* given : {&options.mask, &options.attentionMask, &options.alibiSlopes, &options.sinks,
                            &options.keyScales, &options.valueScales}) {
    *rest++ = given->value_or(own[0]);
  }
  return inputs;
}

/// Room for the results of a plan, and the run.
Status runInto(const AttentionPlan& plan, std::span<const TensorView> inputs, AttentionOutputs& outputs,
               Arena& arena);

}  // namespace attention
