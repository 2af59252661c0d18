#pragma once

#include "attention/attention.hpp"

namespace attention {

/// The options that name head counts agree with each other and with q's rank.
Status checkHeadCounts(const TensorView& query, const AttentionOptions& options);

/// Checks the options that say what a query may see and how a score is made, against a plan whose sizes and
/// sequences are known.
Status planRules(const AttentionOptions& options, AttentionPlan* plan);

}  // namespace attention
