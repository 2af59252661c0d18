#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "attention_case.hpp"

namespace attention::test {
namespace {

double feature(FeatureMap map, float x) {
  const auto value = static_cast<double>(x);
  if (map == FeatureMap::kRelu) return std::max(value, 0.0);
  return value > 0 ? value + 1 : std::exp(value);
}

/// φ(q)·φ(k) as weights, pair by pair: quadratic, in double. BHSD.
std::vector<double> pairByPair(AttentionCase& made, const Sizes& s, FeatureMap map, bool causal) {
  std::vector<double> output(s.batch * s.heads * s.queries * s.valueDim);
  for (size_t row = 0; row < s.batch * s.heads * s.queries; ++row) {
    const size_t i = row % s.queries, head = row / s.queries % s.heads, b = row / s.queries / s.heads;
    const size_t kvHead = b * s.kvHeads + head * s.kvHeads / s.heads;
    double sum = 0;
    double* to = output.data() + row * s.valueDim;
    for (size_t j = 0; j < (causal ? std::min(i + 1, s.keys) : s.keys); ++j) {
      double weight = 0;
      for (size_t d = 0; d < s.headDim; ++d) {
        weight += feature(map, made.q.values[row * s.headDim + d]) *
                  feature(map, made.k.values[(kvHead * s.keys + j) * s.headDim + d]);
      }
      sum += weight;
      for (size_t d = 0; d < s.valueDim; ++d) {
        to[d] += weight * static_cast<double>(made.v.values[(kvHead * s.keys + j) * s.valueDim + d]);
      }
    }
    for (size_t d = 0; d < s.valueDim; ++d) to[d] = sum == 0 ? 0 : to[d] / sum;
  }
  return output;
}

}  // namespace

TEST_CASE("linear attention against weights pair by pair", "[linear-attention]") {
  Random random(91);
  const FeatureMap map = GENERATE(FeatureMap::kEluPlusOne, FeatureMap::kRelu);
  const bool causal = GENERATE(false, true);
  for (int at = 0; at < 25; ++at) {
    const size_t kvHeads = between(random, 1, 2);
    const Sizes sizes{.batch = between(random, 1, 2),
                      .heads = kvHeads * between(random, 1, 2),
                      .kvHeads = kvHeads,
                      .queries = between(random, 1, 80),
                      .keys = between(random, 1, 80),
                      .headDim = between(random, 1, 20),
                      .valueDim = between(random, 1, 20)};
    AttentionCase made = makeCase(random, sizes);
    made.options.causal = causal ? Causal::kTrue : Causal::kNone;
    Arena arena;
    Output out;
    REQUIRE(linearAttention(made.q.view(), made.k.view(), made.v.view(), made.options, map, out, arena).ok());
    INFO("case " << at << ": Sq " << sizes.queries << ", Skv " << sizes.keys << ", D " << sizes.headDim);
    // A mean of values with non-negative weights: errors are those of the sums, relative to max|V|.
    CHECK(largestError(out.floats(), pairByPair(made, sizes, map, causal)) <=
          4e-6 * largestMagnitude(made.v));
  }
}

TEST_CASE("values behind a query are not read into it", "[linear-attention]") {
  Random random(92);
  AttentionCase made = makeCase(random, {.queries = 60, .keys = 60});
  for (size_t d = 0; d < 8; ++d) made.v.values[50 * 8 + d] = kNaN;
  made.options.causal = Causal::kTrue;
  Arena arena;
  Output out;
  REQUIRE(linearAttention(made.q.view(), made.k.view(), made.v.view(), made.options, FeatureMap::kEluPlusOne,
                          out, arena)
              .ok());
  for (size_t i = 0; i < 60; ++i) CHECK(std::isnan(out.floats()[i * 8]) == (i >= 50));
}

}  // namespace attention::test
