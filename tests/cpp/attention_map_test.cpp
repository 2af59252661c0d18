#include <catch2/catch_test_macros.hpp>

#include "attention_case.hpp"

namespace attention::test {
namespace {

/// Cells of a head's probabilities, pooled in double.
std::vector<double> pooledWeights(const std::vector<double>& weights, size_t keys, Range rows, Range columns,
                                  size_t mapRows, size_t mapColumns, Pool pool) {
  std::vector<double> map(mapRows * mapColumns);
  for (size_t r = 0; r < mapRows; ++r) {
    for (size_t c = 0; c < mapColumns; ++c) {
      const size_t i0 = rows.begin + r * rows.size() / mapRows;
      const size_t i1 = rows.begin + (r + 1) * rows.size() / mapRows;
      const size_t j0 = columns.begin + c * columns.size() / mapColumns;
      const size_t j1 = columns.begin + (c + 1) * columns.size() / mapColumns;
      double& cell = map[r * mapColumns + c];
      for (size_t i = i0; i < i1; ++i) {
        for (size_t j = j0; j < j1; ++j) {
          const double p = weights[i * keys + j];
          cell = pool == Pool::kMax ? std::max(cell, p) : cell + p;
        }
      }
      if (pool == Pool::kMean) cell /= static_cast<double>((i1 - i0) * (j1 - j0));
    }
  }
  return map;
}

}  // namespace

TEST_CASE("a map is its probabilities pooled", "[map]") {
  Random random(81);
  for (int at = 0; at < 60; ++at) {
    const Sizes sizes{.batch = 1,
                      .heads = 2,
                      .kvHeads = 1,
                      .queries = between(random, 1, 150),
                      .keys = between(random, 1, 300)};
    AttentionCase made = makeCase(random, sizes);
    made.options.causal = static_cast<Causal>(at % 4);
    if (at % 3 == 0) made.options.window = {40, 20};
    if (at % 5 == 0) made.options.softcap = 3.0f;
    made.options.alibi = at % 7 == 0;
    made.options.logSumExp = true;
    made.options.weights = Stage::kProbabilities;
    Arena arena;
    AttentionPlan plan;
    REQUIRE(planAttention(made.q.view(), made.k.view(), made.v.view(), made.options, &plan).ok());
    const ReferenceResult reference = referenceAttention(plan, made.options);
    AttentionOutputs outputs;
    REQUIRE(
        scaledDotProductAttention(made.q.view(), made.k.view(), made.v.view(), made.options, outputs, arena)
            .ok());

    AttentionMapOptions map;
    Range rows{0, sizes.queries}, columns{0, sizes.keys};
    if (at % 2 == 0) {
      rows.begin = between(random, 0, sizes.queries - 1);
      rows.end = between(random, rows.begin + 1, sizes.queries);
      columns.begin = between(random, 0, sizes.keys - 1);
      columns.end = between(random, columns.begin + 1, sizes.keys);
      map.rows = rows;
      map.columns = columns;
    }
    map.mapRows = between(random, 1, 40);
    map.mapColumns = between(random, 1, 400);
    map.pool = at % 2 == 0 ? Pool::kMax : Pool::kMean;
    if (at % 4 >= 2) map.logSumExp = outputs.logSumExp.view();
    Output out;
    AttentionOptions rules = made.options;
    rules.weights = Stage::kNone;
    REQUIRE(attentionMap(made.q.view(), made.k.view(), rules, map, out, arena).ok());
    const size_t mapRows = std::min(map.mapRows, rows.size()),
                 mapColumns = std::min(map.mapColumns, columns.size());
    REQUIRE(out.view().shape == Shape{1, 2, mapRows, mapColumns});
    for (size_t h = 0; h < 2; ++h) {
      const auto first = reference.weights.begin() + static_cast<ptrdiff_t>(h * sizes.queries * sizes.keys);
      const std::vector<double> own(first, first + static_cast<ptrdiff_t>(sizes.queries * sizes.keys));
      const std::vector<double> wanted =
          pooledWeights(own, sizes.keys, rows, columns, mapRows, mapColumns, map.pool);
      INFO("case " << at << ", head " << h);
      CHECK(largestError(out.floats() + h * mapRows * mapColumns, wanted) <= 4e-6);
    }
  }
}

TEST_CASE("a map takes memory by its own size", "[map]") {
  Random random(82);
  AttentionCase made = makeCase(random, {.queries = 3000, .keys = 3000});
  Arena arena;
  AttentionMapOptions map;
  map.mapRows = map.mapColumns = 100;
  Output out;
  REQUIRE(attentionMap(made.q.view(), made.k.view(), {}, map, out, arena).ok());
  CHECK(arena.highWater() < 200 * 1024);
}

TEST_CASE("a NaN shows in its cell, whatever comes after it", "[map]") {
  Random random(83);
  AttentionCase made = makeCase(random, {.queries = 8, .keys = 8});
  made.q.values[3 * 8] = kNaN;
  Arena arena;
  for (Pool pool : {Pool::kMax, Pool::kMean}) {
    AttentionMapOptions map;
    map.mapRows = map.mapColumns = 2;
    map.pool = pool;
    Output out;
    REQUIRE(attentionMap(made.q.view(), made.k.view(), {}, map, out, arena).ok());
    CHECK(std::isnan(out.floats()[0]));
    CHECK(std::isnan(out.floats()[1]));
    CHECK(std::isfinite(out.floats()[2]));
  }
}

}  // namespace attention::test
