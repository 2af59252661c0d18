#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <set>

#include "attention/query_block.hpp"
#include "attention_case.hpp"

namespace attention::test {
namespace {

using Block = QueryBlock<simd::DefaultArch>;
constexpr size_t kRows = kernels::Tile<simd::DefaultArch>::rows;
constexpr size_t kColumns = kernels::Tile<simd::DefaultArch>::columns;

/// Lengths next to a multiple of the step.
std::set<size_t> around(std::initializer_list<size_t> steps) {
  std::set<size_t> lengths{1};
  for (size_t step : steps) lengths.insert({step - 1, step, step + 1, 2 * step + 1});
  return lengths;
}

void check(AttentionCase& attention) {
  const AttentionCase::Errors errors = attention.run();
  CHECK(errors.output <= attention.tolerance());
  CHECK(errors.weights <= 2e-6);
  CHECK(errors.logSumExp <= 1e-5);
}

}  // namespace

TEST_CASE("every length around the tile and the block of keys", "[fused]") {
  Random random(1);
  for (size_t queries : around({kRows, 96})) {
    for (size_t keys : around({kColumns, ScoreTile<simd::DefaultArch>::kKeys})) {
      for (Causal causal : {Causal::kNone, Causal::kTrue, Causal::kLowerRight}) {
        AttentionCase attention = makeCase(random, {.queries = queries, .keys = keys});
        attention.options.causal = causal;
        attention.options.weights = Stage::kProbabilities;
        attention.options.logSumExp = true;
        INFO("queries " << queries << ", keys " << keys << ", causal " << static_cast<int>(causal));
        check(attention);
      }
    }
  }
}

TEST_CASE("every head size around the lanes and the tile", "[fused]") {
  Random random(2);
  for (size_t headDim : around({4, kColumns})) {
    for (size_t valueDim : around({4, kColumns})) {
      AttentionCase attention =
          makeCase(random, {.queries = kRows + 1, .keys = 67, .headDim = headDim, .valueDim = valueDim});
      INFO("D " << headDim << ", Dv " << valueDim);
      check(attention);
    }
  }
}

TEST_CASE("grouped heads, batches and layouts", "[fused]") {
  Random random(3);
  const size_t heads = GENERATE(size_t{1}, size_t{4}, size_t{6});
  const size_t groups = GENERATE(size_t{1}, size_t{2});
  if (heads % groups != 0) return;
  const Sizes sizes{
      .batch = 2, .heads = heads, .kvHeads = heads / groups, .queries = 9, .keys = 70, .valueDim = 12};
  SECTION("BHSD") {
    AttentionCase attention = makeCase(random, sizes);
    check(attention);
  }
  SECTION("BSHD") {
    AttentionCase attention{normal(random, {2, 9, heads, 8}),
                            normal(random, {2, 70, sizes.kvHeads, 8}),
                            normal(random, {2, 70, sizes.kvHeads, 12}),
                            {}};
    attention.options.layout = Layout::kBSHD;
    check(attention);
  }
  SECTION("packed") {
    AttentionCase attention{normal(random, {2, 9, heads * 8}),
                            normal(random, {2, 70, sizes.kvHeads * 8}),
                            normal(random, {2, 70, sizes.kvHeads * 12}),
                            {}};
    attention.options.numHeads = heads;
    attention.options.numKvHeads = sizes.kvHeads;
    check(attention);
  }
}

TEST_CASE("every stage of the weights", "[fused]") {
  Random random(4);
  const Stage stage = GENERATE(Stage::kScores, Stage::kSoftcapped, Stage::kBiased, Stage::kProbabilities);
  AttentionCase attention = makeCase(random, {.heads = 2, .kvHeads = 2, .queries = 11, .keys = 130});
  attention.options.causal = Causal::kTrue;
  attention.options.queryOffset = 60;
  attention.options.weights = stage;
  const AttentionCase::Errors errors = attention.run();
  // Scores reach about 15: a few units in their last place.
  CHECK(errors.weights <= 5e-6);
}

TEST_CASE("values that are not numbers stay behind the mask", "[fused]") {
  Random random(5);
  const float poison = GENERATE(kNaN, kInfinity, -kInfinity);
  AttentionCase attention = makeCase(random, {.queries = 70, .keys = 70});
  attention.options.causal = Causal::kTrue;
  // The last key is seen by the last query alone.
  for (size_t d = 0; d < 8; ++d) attention.v.values[69 * 8 + d] = attention.k.values[69 * 8 + d] = poison;
  Arena arena;
  AttentionOutputs outputs;
  REQUIRE(scaledDotProductAttention(attention.q.view(), attention.k.view(), attention.v.view(),
                                    attention.options, outputs, arena)
              .ok());
  size_t finite = 0;
  for (size_t i = 0; i < 69 * 8; ++i) finite += std::isfinite(outputs.output.floats()[i]) ? 1 : 0;
  CHECK(finite == 69 * 8);
  CHECK(!std::isfinite(outputs.output.floats()[69 * 8]));
  const AttentionCase::Errors errors = attention.run();
  CHECK(errors.output <= attention.tolerance());
}

TEST_CASE("rows that see nothing give zeros", "[fused]") {
  Random random(6);
  AttentionCase attention = makeCase(random, {.queries = 10, .keys = 7});
  attention.options.causal = Causal::kLowerRight;  // the first three queries stand before every key
  attention.options.weights = Stage::kProbabilities;
  attention.options.logSumExp = true;
  Arena arena;
  AttentionOutputs outputs;
  REQUIRE(scaledDotProductAttention(attention.q.view(), attention.k.view(), attention.v.view(),
                                    attention.options, outputs, arena)
              .ok());
  for (size_t i = 0; i < 3 * 8; ++i) CHECK(outputs.output.floats()[i] == 0.0f);
  for (size_t i = 0; i < 3 * 7; ++i) CHECK(outputs.weights.floats()[i] == 0.0f);
  for (size_t i = 0; i < 3; ++i) CHECK(outputs.logSumExp.floats()[i] == -kInfinity);
  check(attention);
}

TEST_CASE("scores and masks at the edge of float32 do not overflow", "[fused]") {
  Random random(7);
  AttentionCase attention = makeCase(random, {.queries = 3, .keys = 5});
  Owned<float> mask{{5}, std::vector<float>(5, std::numeric_limits<float>::lowest())};
  attention.options.mask = mask.view();
  SECTION("every key at lowest(): the mean, not zeros") { check(attention); }
  SECTION("one key far above the others") {
    attention.options.mask.reset();
    for (float& value : attention.q.values) value = 0.0f;
    for (size_t i = 0; i < 3; ++i) attention.q.values[i * 8] = 1.0f;
    for (size_t j = 0; j < 5; ++j) attention.k.values[j * 8] = j == 2 ? -2.9e38f : -3.4e38f;
    attention.options.scale = 1.0f;
    check(attention);
  }
}

TEST_CASE("empty lengths are legal", "[fused]") {
  Random random(8);
  const bool noKeys = GENERATE(true, false);
  AttentionCase attention =
      makeCase(random, {.queries = noKeys ? size_t{3} : size_t{0}, .keys = noKeys ? size_t{0} : size_t{3}});
  attention.options.weights = Stage::kProbabilities;
  attention.options.logSumExp = true;
  check(attention);
}

TEST_CASE("scratch does not grow with the length", "[fused]") {
  Random random(9);
  AttentionCase attention = makeCase(random, {.queries = 96, .keys = 4096, .headDim = 64, .valueDim = 64});
  Arena arena;
  AttentionPlan plan;
  REQUIRE(planAttention(attention.q.view(), attention.k.view(), attention.v.view(), attention.options, &plan)
              .ok());
  std::vector<float> output(96 * 64);
  REQUIRE(runAttention(plan, {output.data(), nullptr, nullptr}, arena).ok());
  CHECK(arena.highWater() <= size_t{128} << 10);
}

}  // namespace attention::test
