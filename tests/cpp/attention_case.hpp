#pragma once

#include <catch2/catch_test_macros.hpp>

#include "attention/reference.hpp"
#include "case.hpp"

namespace attention::test {

/// Inputs and options of one attention call, run through the fused kernel and the reference.
struct AttentionCase {
  Owned<float> q, k, v;
  AttentionOptions options;
  /// In place of k and v: the same numbers as another type, or with factors among the options.
  std::optional<TensorView> storedKey{}, storedValue{};

  struct Errors {
    double output, weights, logSumExp;
  };

  /// Largest errors against the reference; `output` and `weights` NaN-aware (largestError).
  Errors run() { return run(options); }

  /// The same, the reference being asked in other words.
  Errors run(const AttentionOptions& asked) {
    Arena arena;
    AttentionPlan plan;
    AttentionOptions ofFloats = options;
    ofFloats.keyScales.reset();
    ofFloats.valueScales.reset();
    const Status planned = planAttention(q.view(), k.view(), v.view(), ofFloats, &plan);
    INFO(planned.argument() << ": " << Message::latest());
    REQUIRE(planned.ok());
    AttentionOutputs outputs;
    const Status ran = scaledDotProductAttention(q.view(), storedKey.value_or(k.view()),
                                                 storedValue.value_or(v.view()), options, outputs, arena);
    INFO(Message::latest());
    REQUIRE(ran.ok());
    const ReferenceResult reference = referenceAttention(plan, asked);
    Errors errors{largestError(heads(plan, outputs.output.floats()).data(), reference.output), 0, 0};
    if (plan.stage != Stage::kNone)
      errors.weights = largestError(outputs.weights.floats(), reference.weights);
    if (plan.wantsLogSumExp) errors.logSumExp = largestError(outputs.logSumExp.floats(), reference.logSumExp);
    return errors;
  }

  /// The bound for float32 against a float64 reference: 2e-6 · (1 + max|V|).
  double tolerance() const { return 2e-6 * (1 + largestMagnitude(v)); }

 private:
  /// The output as [B,H,Sq,Dv], whatever the layout.
  static std::vector<float> heads(const AttentionPlan& plan, float* output) {
    std::vector<float> values;
    const TensorView view = plan.outputHeads(output);
    for (size_t b = 0; b < plan.batch; ++b) {
      for (size_t h = 0; h < plan.heads; ++h) {
        for (size_t i = 0; i < plan.sequences().queries; ++i) {
          const float* row = rowOf(view, b, h, i);
          values.insert(values.end(), row, row + plan.valueDim);
        }
      }
    }
    return values;
  }
};

/// q [B,H,Sq,D], k [B,Hkv,Skv,D], v [B,Hkv,Skv,Dv].
struct Sizes {
  size_t batch = 1, heads = 1, kvHeads = 1, queries = 1, keys = 1, headDim = 8, valueDim = 8;
};

inline AttentionCase makeCase(Random& random, const Sizes& s) {
  return {normal(random, {s.batch, s.heads, s.queries, s.headDim}),
          normal(random, {s.batch, s.kvHeads, s.keys, s.headDim}),
          normal(random, {s.batch, s.kvHeads, s.keys, s.valueDim}),
          {}};
}

}  // namespace attention::test
