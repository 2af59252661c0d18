#pragma once

#include <vector>

#include "attention/attention.hpp"

namespace attention {

/// Attention as its formula reads, in double and without any of the fused kernel's machinery: what the fused
/// kernel is tested against. `options` are those the plan was made from.
struct ReferenceResult {
  std::vector<double> output;     // [B,H,Sq,Dv]
  std::vector<double> weights;    // [B,H,Sq,Skv] at the plan's stage
  std::vector<double> logSumExp;  // [B,H,Sq]
};

ReferenceResult referenceAttention(const AttentionPlan& plan, const AttentionOptions& options);

}  // namespace attention
