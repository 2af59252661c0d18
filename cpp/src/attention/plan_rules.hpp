#pragma once

#include "attention/attention.hpp"

namespace attention {

/// Checks the options that say what a query may see and how a score is made, against a plan whose sizes and
/// sequences are known.
Status planRules(const AttentionOptions& options, AttentionPlan* plan);

}  // namespace attention
